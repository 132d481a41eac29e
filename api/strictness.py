"""Refuses by name what a call below /api does not know: parameters in the query, fields of a JSON body, kinds of bodies.

A backend that misspells `preset=strict` must not get the default in silence. `api.uploads` does the same for the parts of
a form. What a call knows is read off its function's annotations `query` and `body`, as is the OpenAPI document.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from inspect import unwrap
from typing import Any, get_args, get_origin, get_type_hints

from flask import Flask, current_app, request
from pydantic import BaseModel

from api.access import GUARDED
from api.names import unknown
from api.problems import ProblemError, refuse_faults
from api.schemas import Fault

#: Methods whose requests may have a body that means something.
WITH_BODY = ("POST", "PATCH")
JSON, FORM, MULTIPART = "application/json", "application/x-www-form-urlencoded", "multipart/form-data"
#: The attribute of a view function that has a multipart form beside its annotations (`takes_form`).
_FORM_MARK = "takes_form"


@dataclass(frozen=True, slots=True)
class Known:
    """What one call knows."""

    #: The query's parameters; True for those that may be repeated.
    query: dict[str, bool]
    #: The model of the JSON body; None if the call has none.
    body: type[BaseModel] | None
    #: Whether a multipart form is taken; with a JSON body beside it neither is required.
    form: bool


def install(app: Flask) -> None:
    """Have the app refuse what a call does not know, once it knows who calls."""
    app.before_request(_refuse_unknown)


def takes_form(view: Any) -> Any:
    """Mark a view function that reads a multipart form by `api.uploads`."""
    setattr(view, _FORM_MARK, True)
    return view


def _refuse_unknown() -> None:
    rule = request.url_rule
    if rule is None or not rule.rule.startswith(GUARDED) or request.method == "OPTIONS":
        return
    known = _known(unwrap(current_app.view_functions[rule.endpoint]))
    faults = list(_faults_of_query(known))
    if request.method in WITH_BODY:
        _refuse_coding()
        faults += _faults_of_body(known)
    if faults:
        refuse_faults(faults)
    if request.method in WITH_BODY and known.body is not None and not known.form and not request.get_data():
        raise ProblemError("invalid_parameter", "The body is empty: send a JSON object.")


@cache  # one entry for each call of the API
def _known(view: Any) -> Known:
    hints = get_type_hints(view)
    query, body = hints.get("query"), hints.get("body")
    fields = {} if query is None else query.model_fields
    return Known(
        {field.alias or name: _is_list(field.annotation) for name, field in fields.items()},
        body,
        hasattr(view, _FORM_MARK),
    )


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) is list or any(_is_list(part) for part in get_args(annotation))


def _faults_of_query(known: Known) -> Iterator[Fault]:
    if not request.query_string:
        return
    yield from unknown(request.args, known.query, "parameter")
    for name, repeatable in known.query.items():
        if not repeatable and len(set(request.args.getlist(name))) > 1:
            yield Fault(parameter=name, detail="is given more than once, with different values")


def _refuse_coding() -> None:
    """Refuse a compressed body: pictures are compressed already, and a small body may grow without end."""
    coding = request.headers.get("Content-Encoding", "").strip().lower()
    if coding not in ("", "identity") and (request.content_length or "Transfer-Encoding" in request.headers):
        raise ProblemError("content_coding", headers={"Accept-Encoding": "identity"})


def _faults_of_body(known: Known) -> list[Fault]:
    if known.form and (known.body is None or request.mimetype == MULTIPART):
        return []  # `api.uploads` reads it
    if not request.get_data():
        return []
    if not request.is_json:
        raise ProblemError("unsupported_body", _sentence(known), headers={"Accept": _accepted(known)})
    try:
        given = current_app.json.loads(request.get_data())
    except ValueError as error:  # UnicodeDecodeError and JSONDecodeError among them
        raise ProblemError("invalid_parameter", f"The body is not JSON that can be read: {error}.") from None
    if not isinstance(given, dict):
        raise ProblemError("invalid_parameter", "The body must be a JSON object.")
    return unknown(given, () if known.body is None else known.body.model_fields, "field")


def _accepted(known: Known) -> str:
    return f"{JSON}, {MULTIPART}" if known.form else JSON


def _sentence(known: Known) -> str | None:
    """What to do about a body of another kind."""
    if known.body is None:
        return "This call takes no body: send none."
    other = ", or in the query; a picture as multipart/form-data" if known.form else ""
    return f"Send the fields as a JSON object, with `Content-Type: application/json`{other}."
