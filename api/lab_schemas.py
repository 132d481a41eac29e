"""The schemas of `api.lab`: its query and its answer.

The measures have the names and types of the domain's dataclasses, so that a new measure appears here by itself.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model

from api.schemas import FrameAnswer, HintView, Query, must_be
from shared.liveness.challenge import ChallengeType
from shared.liveness.frame import Frame
from shared.liveness.gestures.neutral import Neutral
from shared.liveness.insight import Insight, needed_levels
from shared.liveness.observation import Observation
from shared.liveness.session import FrameResult, Session, State


class KeptPage(Query):
    """The page of frames that is asked for."""

    after: Annotated[float, Field(ge=0, allow_inf_nan=False), must_be("a time in seconds since the epoch")] = Field(
        0.0,
        description="Only frames that arrived after this time, in seconds since the epoch; at most the oldest 200 of them.",
    )


class JudgeView(BaseModel):
    """The view of a challenge's judge, with the newest frame that can be judged."""

    challenge: ChallengeType
    position: int = Field(ge=0, description="Position of the challenge, 0 for the first.")
    at: float = Field(description="Arrival of that frame, in seconds since the epoch.")
    neutral: Neutral
    lines: dict[ChallengeType, float] = Field(
        description="The level at which each challenge's signal suffices for this person, in the signal's unit."
    )
    reached: float = Field(
        description="How much of the gesture the frame shows: in degrees, as a fraction of the eyes' opening, or in "
        "distances between the eyes."
    )
    needed: float = Field(description="How much of the gesture is needed, in the same unit.")
    confidence: float = Field(ge=0, le=1)
    met: bool = Field(description="Whether the gesture was made.")
    hint: HintView | None

    @classmethod
    def of(cls, insight: Insight) -> JudgeView:
        """The view of an insight of the domain."""
        return cls(
            challenge=insight.challenge,
            position=insight.position,
            at=insight.at,
            neutral=insight.neutral,
            lines=needed_levels(insight.neutral),
            reached=insight.reached,
            needed=insight.needed,
            confidence=insight.judgement.confidence,
            met=insight.judgement.met,
            hint=insight.judgement.hint and HintView.model_validate(insight.judgement.hint),
        )


def _model_of(kind: type) -> type[BaseModel]:
    """A model with the fields of a dataclass, each of them required."""
    types = get_type_hints(kind)
    required: dict[str, Any] = {field.name: (types[field.name], ...) for field in fields(kind)}
    return create_model(f"{kind.__name__}View", **required)


class KeptFrame(_model_of(Observation)):  # type: ignore[misc] # mypy cannot see a base that is made at run time
    """One frame: its measures (`shared/liveness/observation.py` explains each), and the answer to it."""

    id: str
    at: float = Field(description="Arrival of the frame, in seconds since the epoch.")
    problem: str | None = Field(description="Why the frame cannot be judged: the code of a hint.", examples=["too_far"])
    answer: FrameAnswer

    @classmethod
    def of(cls, frame: Frame, result: FrameResult) -> KeptFrame:
        """The view of a frame and of the result of judging it."""
        measures = {field.name: getattr(frame.observation, field.name) for field in fields(Observation)}
        return cls(id=frame.id, at=frame.at, answer=FrameAnswer.model_validate(result), **measures)


class TimedChallengeView(BaseModel):
    """One challenge, with its times."""

    model_config = ConfigDict(from_attributes=True)

    type: ChallengeType
    timeout_seconds: float
    started_at: float | None = Field(description="Start of its clock, in seconds since the epoch.")
    passed_at: float | None


class ObservationsView(BaseModel):
    """The measures that the judges of a session see."""

    session_id: str
    state: State
    at: float = Field(description="The service's time, in seconds since the epoch.")
    ended_at: float | None
    challenges: list[TimedChallengeView] = Field(description="With reveal=next the challenges revealed so far.")
    judge: JudgeView | None = Field(description="Null while no frame can be judged.")
    frames: list[KeptFrame] = Field(description="Oldest first.")

    @classmethod
    def of(
        cls, session: Session, at: float, insight: Insight | None, kept: list[tuple[Frame, FrameResult]]
    ) -> ObservationsView:
        """The view of a session at `at`, in seconds since the epoch."""
        return cls(
            session_id=session.id,
            state=session.state,
            at=at,
            ended_at=session.ended_at,
            challenges=[TimedChallengeView.model_validate(challenge) for challenge in session.revealed(at)],
            judge=insight and JudgeView.of(insight),
            frames=[KeptFrame.of(frame, result) for frame, result in kept],
        )
