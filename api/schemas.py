"""What the API takes and gives: the same models validate, answer and make the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from flask_openapi import FileStorage
from pydantic import BaseModel, ConfigDict, Field, ValidationError, WrapValidator
from pydantic_core import PydanticCustomError

from shared.liveness.challenge import ChallengeType
from shared.liveness.session import Session, State

_SESSION_ID = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"


def _must_be(what: str) -> WrapValidator:
    """Say in one sentence what a parameter must be, whichever of its rules was broken."""

    def check(value: Any, validate: Callable[[Any], Any]) -> Any:
        try:
            return validate(value)
        except ValidationError:
            raise PydanticCustomError("parameter", "must be {what}", {"what": what}) from None

    return WrapValidator(check)


class SessionOptions(BaseModel):
    """What a new session is to ask for."""

    num_challenges: Annotated[int, Field(ge=1, le=10), _must_be("a whole number from 1 to 10")] = Field(
        3, description="How many challenges are drawn, 1 to 10."
    )
    timeout_seconds: Annotated[
        float, Field(ge=1, le=60, allow_inf_nan=False), _must_be("a number of seconds from 1 to 60")
    ] = Field(5.0, description="Seconds for each challenge, 1 to 60; the clock runs only while a face is seen first.")
    mirrored: Annotated[bool, _must_be("true or false")] = Field(
        False, description="True where the client sends mirrored frames, as a selfie preview shows them."
    )


class SessionPath(BaseModel):
    """Which session is meant."""

    session_id: str = Field(description="The id that creation gave.", examples=[_SESSION_ID])


class FrameForm(BaseModel):
    """A camera frame. `api.uploads` reads it: this model documents the form."""

    image: FileStorage = Field(
        description="One camera frame, JPEG or PNG; the bytes decide, not the part's own content type."
    )


class ChallengeView(BaseModel):
    """One challenge of a session."""

    model_config = ConfigDict(from_attributes=True)

    type: ChallengeType
    instruction: str = Field(description="What to show to the person, in English.", examples=["Smile"])
    timeout_seconds: float = Field(description="Seconds that the person has for it.", examples=[5.0])


class SessionView(BaseModel):
    """A session as creation and GET answer it."""

    session_id: str = Field(examples=[_SESSION_ID])
    state: State = Field(
        description="pending: no frame yet; in_progress: frames came, challenges remain; completed: all passed; "
        "failed: a challenge timed out or failed; expired: the session outlived its time."
    )
    challenges: list[ChallengeView] = Field(description="In the order in which they are to be met.")

    @classmethod
    def of(cls, session: Session) -> SessionView:
        """The view of a session of the domain."""
        return cls(
            session_id=session.id,
            state=session.state,
            challenges=[ChallengeView.model_validate(challenge) for challenge in session.challenges],
        )


class HintView(BaseModel):
    """A word of help for the person."""

    model_config = ConfigDict(from_attributes=True)

    code: str = Field(description="For programs; stable.", examples=["too_far"])
    text: str = Field(description="For people, in English.", examples=["Move closer."])


class FrameAnswer(BaseModel):
    """What became of a frame."""

    model_config = ConfigDict(from_attributes=True)

    session_id: str = Field(examples=[_SESSION_ID])
    challenge_type: ChallengeType | None = Field(
        description="The challenge that this frame was judged against; null once the session has ended."
    )
    passed: bool = Field(description="Whether that challenge passed with this frame.")
    confidence: float = Field(ge=0, le=1)
    challenges_remaining: int = Field(ge=0, le=10)
    session_complete: bool = Field(description="True when all challenges are done.")
    is_live: bool | None = Field(description="The final verdict; null until the session is complete.")
    state: State
    hint: HintView | None = Field(description="What the person may do better just now.")


class Cancelled(BaseModel):
    """The answer to a cancelled session."""

    cancelled: str = Field(description="The id of the session that is no more.", examples=[_SESSION_ID])


class Fault(BaseModel):
    """One parameter that is not valid."""

    parameter: str = Field(examples=["num_challenges"])
    detail: str = Field(examples=["must be a whole number from 1 to 10"])


class Problem(BaseModel):
    """An error, after RFC 9457."""

    type: str = Field(description="Where this kind of problem is explained.", examples=["/docs#problem-image_missing"])
    title: str = Field(description="The kind of problem, in words.", examples=["No part named image"])
    status: int = Field(description="The HTTP status again.", examples=[422])
    code: str = Field(description="The kind of problem, for programs; stable.", examples=["image_missing"])
    detail: str = Field(description="What to do about it.")
    request_id: str = Field(description="Names this request in the service's logs.")
    errors: list[Fault] | None = Field(None, description="Each parameter that is not valid.")


class Live(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Ready(BaseModel):
    """Whether everything that a frame passes through is there."""

    status: Literal["ready", "not_ready"]
    checks: dict[str, str] = Field(
        description="Each part: ok, or one sentence that says what is missing.",
        examples=[{"redis": "ok", "database": "ok", "queue": "ok", "workers": "ok"}],
    )
