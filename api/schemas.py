"""The schemas of the API's requests and answers: they validate, serialise and make the OpenAPI document."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal, get_args

from flask_openapi import FileStorage
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WrapValidator, field_validator
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ValidationInfo

from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence import SPECIES, Code, Preset, Verdict, Weighing, weighs_against
from shared.liveness.identity import Reference
from shared.liveness.sequence import CARRIED
from shared.liveness.session import Session, State

#: The states that a session never leaves (`Session.ended`).
ENDED = (State.COMPLETED, State.FAILED, State.EXPIRED)

_SESSION_ID = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"


def must_be(what: str) -> WrapValidator:
    """A validator that says in one sentence what a parameter must be, whichever of its rules was broken."""

    def check(value: Any, validate: Callable[[Any], Any]) -> Any:
        try:
            return validate(value)
        except ValidationError:
            raise PydanticCustomError("parameter", "must be {what}", {"what": what}) from None

    return WrapValidator(check)


def _split(given: list[str]) -> list[str]:
    """The names in a parameter that may be repeated, and may hold several names separated by commas."""
    return [name.strip() for part in given for name in part.split(",")]


def _without_default(schema: dict[str, Any]) -> None:
    """Drop the default from a schema, where it depends on the service's settings or means "not given"."""
    schema.pop("default", None)


_Challenges = Annotated[
    list[ChallengeType],
    BeforeValidator(_split),
    must_be(f"one or more of {', '.join(ChallengeType)}, separated by commas"),
]


#: Numbers as JSON and JavaScript write them (not 5_0, as Python reads it too), and words for true and false.
_PLAIN: dict[type, re.Pattern[str]] = {
    bool: re.compile(r"true|false|0|1", re.IGNORECASE | re.ASCII),
    int: re.compile(r"-?[0-9]{1,18}(\.0{1,18})?"),
    float: re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,3})?"),
}
#: In place of a value that is written otherwise: no number and no truth value, so that the field's own rule refuses it.
_REFUSED = "?"


class Query(BaseModel):
    """The parameters in a query: numbers and truth values are taken in their plain forms only."""

    @field_validator("*", mode="before")
    @classmethod
    def _plainly_written(cls, value: Any, info: ValidationInfo) -> Any:
        annotation = cls.model_fields[str(info.field_name)].annotation
        for kind in (annotation, *get_args(annotation)):
            plain = _PLAIN.get(kind) if isinstance(kind, type) else None
            if plain is not None and isinstance(value, str) and not plain.fullmatch(value):
                return _REFUSED
        return value


class SessionOptions(Query):
    """The options of a new session."""

    num_challenges: Annotated[int, Field(ge=1, le=10), must_be("a whole number from 1 to 10")] = Field(
        3, description="How many challenges are drawn, 1 to 10."
    )
    timeout_seconds: Annotated[
        float, Field(ge=1, le=60, allow_inf_nan=False), must_be("a number of seconds from 1 to 60")
    ] = Field(
        5.0, description="Seconds for each challenge, 1 to 60, counted from the first frame that shows a face well."
    )
    mirrored: Annotated[bool, must_be("true or false")] = Field(
        False, description="Whether the client sends mirrored frames, as a selfie preview shows them."
    )
    challenge_types: _Challenges = Field(
        list(ChallengeType),
        description="The challenges to draw from: names separated by commas, or the parameter repeated.",
    )
    exclude: _Challenges = Field(
        [],
        description="Challenges not to draw, in the same form: for a person who cannot do them. Others take their place, "
        "still with a head movement and a facial expression if the rest has both.",
    )
    reveal: Annotated[Literal["all", "next"], must_be("all or next")] = Field(
        "all",
        description="all: the session lists its challenges from the beginning. next: it lists those revealed so far; the "
        "next one is revealed at a random time, 0.5 to 2 s after the last has passed, and its clock starts then. Until then "
        "frames are answered with challenge_type null and the hint wait.",
    )
    preset: Annotated[Preset | SkipJsonSchema[None], must_be(f"one of {', '.join(Preset)}")] = Field(
        None,
        description="How much evidence the verdict asks for: a stricter preset lets fewer attacks in and turns more people "
        "away. The default is the operator's choice, usually standard.",
        json_schema_extra=_without_default,
    )
    portrait: Annotated[bool, must_be("true or false")] = Field(
        False,
        description="Whether to keep the best frontal frame: if the person was live, it can be fetched once, for five "
        "minutes; again for 30 seconds after the first time, should the connection have broken.",
    )

    sequence: Annotated[Literal["off", "required"], must_be("off or required")] = Field(
        "off",
        description="required: each answer to a frame has a nonce, and each frame must carry those of the latest answers "
        "that the client received (nonces). Frames that were prepared in advance, or come from two programs, are refused.",
    )
    nonce: Annotated[
        str | SkipJsonSchema[None], Field(pattern=r"^[!-~]{1,128}$"), must_be("1 to 128 printable ASCII characters")
    ] = Field(
        None,
        description="A word of your own, which the session's signed verdict repeats (docs/verdict.md).",
        json_schema_extra=_without_default,
    )
    relying_party: Annotated[
        str | SkipJsonSchema[None],
        Field(pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]{1,100}$"),
        must_be("1 to 100 printable characters"),
    ] = Field(
        None,
        description="The name of the organisation that asks for the check, which the page at / shows to the person; with a "
        "`server` key only. The default is the operator's setting.",
        json_schema_extra=_without_default,
    )
    token: Annotated[bool, must_be("true or false")] = Field(
        False,
        description="Whether the answer holds a token for the person's client: without an API key, it may submit this "
        "session's frames, get its state, and do nothing else.",
    )

    subject: Annotated[
        str | SkipJsonSchema[None], Field(min_length=1, max_length=200), must_be("1 to 200 characters")
    ] = Field(
        None,
        description="An opaque name of your own for the person (an account's id, not an e-mail address): after several "
        "failed sessions of a subject the next one is refused for a while. Only a keyed hash of the name is stored.",
        json_schema_extra=_without_default,
    )

    @field_validator("exclude")
    @classmethod
    def _leaves_something(cls, exclude: list[ChallengeType], info: ValidationInfo) -> list[ChallengeType]:
        # challenge_types is absent if it was refused itself.
        if not set(info.data.get("challenge_types", ChallengeType)) - set(exclude):
            raise PydanticCustomError(
                "parameter", "must leave at least one challenge to draw: it excludes all there are"
            )
        return exclude

    @property
    def allowed(self) -> set[ChallengeType]:
        """The challenges that may be drawn."""
        return set(self.challenge_types) - set(self.exclude)


class CreationHeaders(BaseModel):
    """The headers of a creation."""

    idempotency_key: Annotated[
        str | SkipJsonSchema[None],
        Field(pattern=r'^[!#-~]{1,255}$|^"[ !#-~]{1,255}"$'),
        must_be("1 to 255 printable characters of ASCII, without quotation marks but for a pair around all of it"),
    ] = Field(
        None,
        alias="Idempotency-Key",
        description="A word of your own for this creation, e.g. a UUID. The same request sent again with it (after a "
        "timeout) gets the same answer and creates no second session, for as long as a session lives.",
        json_schema_extra=_without_default,
    )


class SessionPath(BaseModel):
    """The session in the path."""

    session_id: str = Field(description="The id from the session's creation.", examples=[_SESSION_ID])


class FrameQuery(BaseModel):
    """The parameters of a frame."""

    _schema: ClassVar[dict[str, Any] | None] = None

    nonces: Annotated[str, Field(max_length=400), must_be(f"up to {CARRIED} nonces, separated by commas")] = Field(
        "",
        description=f"For a session with sequence=required: the nonces of the latest {CARRIED} answers that this client "
        "received, in any order, separated by commas; none before the first answer.",
    )

    @property
    def carried(self) -> frozenset[str]:
        """The nonces, at most as many as a frame may carry."""
        return frozenset([nonce for nonce in self.nonces.split(",") if nonce][:CARRIED])

    @classmethod
    def model_json_schema(cls, *args: Any, **options: Any) -> dict[str, Any]:
        """The JSON schema. flask-openapi asks for it with every request, a fifth of the processor time of a frame."""
        if args or options:
            return super().model_json_schema(*args, **options)
        if cls._schema is None:
            cls._schema = super().model_json_schema()
        return cls._schema


class CreationForm(BaseModel):
    """The form of a session's creation. This model documents the form; `api.uploads` reads it."""

    reference: FileStorage = Field(
        description="A picture of the expected person, JPEG or PNG, with one face. The session's evidence says whether the "
        "live person is the person in the picture."
    )


class FrameForm(BaseModel):
    """The form of a frame. This model documents the form; `api.uploads` reads it."""

    image: FileStorage = Field(
        description="One camera frame, JPEG or PNG, told apart by its bytes, not by the part's content type."
    )
    camera: str | None = Field(
        None,
        description="What the client's platform says of the camera, as JSON, with some of the frames: docs/client.md.",
    )


class ChallengeView(BaseModel):
    """One challenge of a session."""

    model_config = ConfigDict(from_attributes=True)

    type: ChallengeType
    instruction: str = Field(description="The sentence to show to the person, in English.", examples=["Smile"])
    timeout_seconds: float = Field(description="Seconds that the person has for it.", examples=[5.0])


def _views(session: Session, at: float) -> list[ChallengeView]:
    return [ChallengeView.model_validate(challenge) for challenge in session.revealed(at)]


class SessionView(BaseModel):
    """A session."""

    session_id: str = Field(examples=[_SESSION_ID])
    state: State = Field(
        description="pending: no frame yet; in_progress: frames came, challenges remain; completed: all passed; "
        "failed: a challenge timed out or failed; expired: the session outlived its time. A session never leaves the "
        "last three."
    )
    challenges: list[ChallengeView] = Field(
        description="In the order in which the person meets them; with reveal=next those revealed so far."
    )

    @classmethod
    def of(cls, session: Session, at: float) -> SessionView:
        """The view of a session at `at`, in seconds since the epoch."""
        return cls(session_id=session.id, state=session.state, challenges=_views(session, at))


class SessionMade(SessionView):
    """A session, as its creation answers it."""

    token: str | SkipJsonSchema[None] = Field(
        None,
        description="With token=true: a token to send in place of a key, as `Authorization: Bearer TOKEN`. It expires "
        "shortly after the session.",
        json_schema_extra=_without_default,
    )


class AskedView(BaseModel):
    """What a session's creator asked for, with the defaults and the policy."""

    preset: Preset
    num_challenges: int
    challenge_types: list[ChallengeType] | None = Field(
        description="The challenges that were drawn from; null for sessions of an earlier version."
    )
    timeout_seconds: float
    mirrored: bool
    reveal: Literal["all", "next"]
    policy: str | None = Field(
        description="The policy that the creation had to meet; null for sessions of an earlier version.",
        examples=["num_challenges=3.. timeout_seconds=..15"],
    )


class SessionLook(SessionView):
    """A session, as GET answers it."""

    is_live: bool | None = Field(description="The final verdict; null until the session is complete.")
    relying_party: str | None = Field(description="The organisation that asks for the check; null if none was named.")
    asked: AskedView | None = Field(
        description="What was asked for at creation. This field and the next three are for `server` keys, else null."
    )
    owner: str | None = Field(description="The id of the API key that created the session.")
    subject: str | None = Field(description="The keyed hash of the subject, the same for each session of a subject.")
    nonce: str | None = Field(description="The nonce given at creation.")

    @classmethod
    def of(cls, session: Session, at: float, *, relying_party: str | None = None) -> SessionLook:
        """The view of a session at `at`, in seconds since the epoch; relying_party: the operator's, where it names none."""
        return cls(
            session_id=session.id,
            state=session.state,
            challenges=_views(session, at),
            is_live=session.is_live,
            relying_party=session.terms.relying_party or relying_party,
            **session.facts,
        )


class MetChallengeView(BaseModel):
    """One challenge of a session, and its outcome."""

    model_config = ConfigDict(from_attributes=True)

    type: ChallengeType
    passed_at: float | None = Field(description="When the challenge passed, in seconds since the epoch; null before.")
    confidence: float | None = Field(ge=0, le=1, description="How sure the judge is; null before.")


class FindingView(BaseModel):
    """The finding of one judge of the evidence; docs/evidence.md explains each code."""

    code: Code
    score: float = Field(description="In the judge's own unit; a higher score speaks more for an attack.")
    bits: float | None = Field(
        description="The finding's weight in the session's score: above 0 for a living person, below 0 for an attack; each "
        "bit doubles or halves the odds. Null until the session is complete."
    )
    limit: float | None = Field(
        description="The score from which the finding alone decides; null if it is only weighed."
    )
    against: bool = Field(
        description="Whether the finding makes an attack at least twice as likely as a living person (bits of -1 or less)."
    )
    species: str = Field(description="The kind of attack that the finding speaks for.", examples=["moved_photo"])
    challenge: int | None = Field(
        ge=0, description="Position of the challenge, 0 for the first; null if the finding is about the whole session."
    )


class ReferenceView(BaseModel):
    """Whether the person before the camera is the person in the reference picture."""

    model_config = ConfigDict(from_attributes=True)

    match: bool | None = Field(description="Null until a face of the session has been compared with the picture.")
    similarity: float | None = Field(
        ge=0,
        le=1,
        description="1 for the same picture, 0.5 where match changes, 0 for people without any likeness: one minus the "
        "distance of the nearest face's descriptor over 1.2. Not a probability.",
    )
    problem: str | None = Field(
        description="Why the picture cannot be compared: no_face, several_faces, the code of the picture's problem, or "
        "not_compared if the service was too busy."
    )


class EvidenceView(BaseModel):
    """The evidence of a session: what its verdict rests on."""

    session_id: str = Field(examples=[_SESSION_ID])
    state: State
    is_live: bool | None = Field(description="The final verdict; null until the session is complete.")
    reason: str | None = Field(
        description="Why the session ended as it did: timed_out, expired, identity_swap, "
        "not_compared (the service was too busy to compare the faces: create a new session), or a finding's code; null for "
        "a live person.",
        examples=["flat"],
    )
    preset: Preset
    score: float | None = Field(
        ge=0,
        le=1,
        description="The probability that the session was a living person's, if attacks are as frequent as in the fit "
        "(docs/evidence.md); null until the session is complete.",
    )
    threshold: float = Field(ge=0, le=1, description="The lowest score of a live session.")
    challenges: list[MetChallengeView] = Field(description="With reveal=next those revealed so far.")
    findings: list[FindingView] = Field(description="In the order in which they were made.")
    suspected: str | None = Field(
        description="The kind of attack that weighs most against the session; null if none does.",
        examples=["moved_photo"],
    )
    reference: ReferenceView | None = Field(description="Null without a reference picture.")

    @classmethod
    def of(cls, session: Session, at: float, weighing: Weighing) -> EvidenceView:
        """The view of a session at `at`, in seconds since the epoch, with the limits of `weighing`."""
        gravest = Verdict(session.score or 0.0, session.findings).gravest
        return cls(
            session_id=session.id,
            state=session.state,
            is_live=session.is_live,
            reason=session.reason,
            preset=session.preset,
            score=session.score,
            threshold=session.threshold(weighing),
            challenges=[MetChallengeView.model_validate(challenge) for challenge in session.revealed(at)],
            findings=[
                FindingView(
                    code=finding.code,
                    score=finding.score,
                    bits=finding.bits,
                    limit=weighing.decisive.get(finding.code),
                    against=weighs_against(finding),
                    species=SPECIES[finding.code],
                    challenge=finding.challenge,
                )
                for finding in session.findings
            ],
            suspected=None if session.is_live or gravest is None else SPECIES[gravest.code],
            reference=session.identity and session.identity.reference and _reference(session.identity.reference),
        )


def _reference(reference: Reference) -> ReferenceView:
    return ReferenceView.model_validate(reference)


class HintView(BaseModel):
    """A word of help for the person."""

    model_config = ConfigDict(from_attributes=True)

    code: str = Field(
        description="The hint, for programs; stable. x-unusable lists the hints of frames that cannot be judged.",
        examples=["too_far"],
    )
    text: str = Field(description="For people, in English.", examples=["Move closer."])


class FramingView(BaseModel):
    """The place of the face in the picture as it was sent, for a client that helps the person into the middle."""

    model_config = ConfigDict(from_attributes=True)

    x: float = Field(description="The face's middle, as a fraction of the width from the left.", examples=[0.5])
    y: float = Field(description="The face's middle, as a fraction of the height from the top.", examples=[0.48])
    width: float = Field(description="The face's width, as a fraction of the picture's.", examples=[0.3])
    height: float = Field(description="The face's height, as a fraction of the picture's.", examples=[0.52])


class FrameAnswer(BaseModel):
    """The answer to a frame."""

    model_config = ConfigDict(from_attributes=True)

    session_id: str = Field(examples=[_SESSION_ID])
    challenge_type: ChallengeType | None = Field(
        description="The challenge that this frame was judged for; null once the session has ended, and with reveal=next "
        "between two challenges."
    )
    passed: bool = Field(description="Whether that challenge passed with this frame.")
    confidence: float = Field(ge=0, le=1)
    challenges_remaining: int = Field(ge=0, le=10)
    session_complete: bool = Field(description="True when all challenges are done.")
    is_live: bool | None = Field(description="The final verdict; null until the session is complete.")
    state: State
    hint: HintView | None = Field(description="What the person can do better now; null if there is nothing to say.")
    challenge: ChallengeView | None = Field(description="The challenge of challenge_type, with the sentence to show.")
    face: FramingView | None = Field(description="The place of the face; null unless there is exactly one.")
    nonce: str | SkipJsonSchema[None] = Field(
        None,
        description="Only with sequence=required: to be carried by the next frames.",
        exclude_if=lambda nonce: nonce is None,
        json_schema_extra=_without_default,
    )


class Cancelled(BaseModel):
    """The answer to a cancellation."""

    cancelled: str = Field(description="The id of the cancelled session.", examples=[_SESSION_ID])


class PortraitDeleted(BaseModel):
    """The answer to the deletion of a portrait."""

    deleted: str = Field(description="The id of the portrait's session.", examples=[_SESSION_ID])


class Fault(BaseModel):
    """One parameter that is not valid."""

    parameter: str = Field(examples=["num_challenges"])
    detail: str = Field(examples=["must be a whole number from 1 to 10"])


class Problem(BaseModel):
    """An error, after RFC 9457."""

    type: str = Field(description="Address of the explanation of this kind.", examples=["/docs#problem-image_missing"])
    title: str = Field(description="The kind of problem, in words.", examples=["No part named image"])
    status: int = Field(description="The HTTP status again.", examples=[422])
    code: str = Field(
        description="The kind of problem, for programs; stable. x-codes lists the kinds of this version.",
        examples=["image_missing"],
    )
    detail: str = Field(description="What is wrong, and what to do about it.")
    request_id: str = Field(description="The id of this request in the service's logs.")
    errors: list[Fault] | None = Field(None, description="Each parameter that is not valid.")


class Live(BaseModel):
    """The answer of a process that runs."""

    status: Literal["ok"] = "ok"


class Ready(BaseModel):
    """Whether every part that a frame passes through is there."""

    status: Literal["ready", "not_ready"]
    checks: dict[str, str] = Field(
        description="Each part: ok, or one sentence that says what is missing.",
        examples=[{"redis": "ok", "database": "ok", "queue": "ok", "workers": "ok", "identity": "ok"}],
    )
