"""The options of a new session, put together from the query and a JSON body; what contradicts itself is refused."""

from __future__ import annotations

from pydantic import ValidationError

from api.problems import refuse_faults, refuse_parameters
from api.schemas import Fault, SessionBody, SessionOptions
from shared.settings import Settings


def combined(query: SessionOptions, body: SessionBody, settings: Settings) -> SessionOptions:
    """The options of both places, each field from the one that names it.

    Raises `invalid_parameter` for options that contradict each other, and `outside_policy` for a life beyond SESSION_TTL.
    """
    in_query = _given(query)
    in_body = _given(body)
    faults = [
        Fault(parameter=name, detail="has another value in the query than in the body: give it once")
        for name in in_query.keys() & in_body.keys()
        if in_query[name] != in_body[name]
    ]
    if faults:
        refuse_faults(faults)
    try:
        options = SessionOptions.model_validate(in_query | in_body)
    except ValidationError as error:  # a rule that looks at two fields, of which one was in each place
        refuse_parameters(error)
    if faults := _contradictions(options):
        refuse_faults(faults)
    if options.ttl_seconds is not None and options.ttl_seconds > settings.session_ttl:
        refuse_faults(
            [Fault(parameter="ttl_seconds", detail=f"must be at most {settings.session_ttl:g} here")], "outside_policy"
        )
    return options


def _given(options: SessionOptions) -> dict[str, object]:
    return {name: value for name in options.model_fields_set if (value := getattr(options, name)) is not None}


def _contradictions(options: SessionOptions) -> list[Fault]:
    named = options.challenges
    if named is None:
        return []
    faults = []
    if "challenge_types" in options.model_fields_set:
        faults.append(Fault(parameter="challenge_types", detail="stands in place of challenges: give one of them"))
    if "num_challenges" in options.model_fields_set and options.num_challenges != len(named):
        faults.append(Fault(parameter="num_challenges", detail=f"must be {len(named)}, as many as challenges names"))
    if excluded := [kind for kind in options.exclude if kind in named]:
        faults.append(Fault(parameter="exclude", detail=f"must not name {excluded[0]}, which challenges names"))
    return faults
