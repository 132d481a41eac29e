"""The schemas of `api.lab`: its query and its answer.

The measures have the names and types of the domain's dataclasses, so that a new measure appears here by itself.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model

from api.schemas import FrameAnswer, HintView, must_be
from shared.liveness.challenge import ChallengeType
from shared.liveness.frame import Frame
from shared.liveness.gestures.neutral import Neutral
from shared.liveness.insight import Insight, lines
from shared.liveness.observation import Observation
from shared.liveness.session import FrameResult, Session, State


class KeptPage(BaseModel):
    """Which frames are asked for."""

    after: Annotated[float, Field(ge=0, allow_inf_nan=False), must_be("a time in seconds since the epoch")] = Field(
        0.0, description="Only frames that arrived later, in seconds since the epoch; the oldest 200 of them."
    )


class JudgeView(BaseModel):
    """What the judge of a challenge sees with the newest frame that can be judged."""

    challenge: ChallengeType
    position: int = Field(ge=0, description="0 for the first.")
    at: float = Field(description="That frame's arrival, in seconds since the epoch.")
    neutral: Neutral
    lines: dict[ChallengeType, float] = Field(
        description="Where this person's signals cross what each challenge needs, in the signals' units."
    )
    reached: float = Field(
        description="How much of the gesture that frame shows: degrees; a share of the eyes' opening; or distances between "
        "the eyes."
    )
    needed: float = Field(description="How much of it is needed at the least.")
    confidence: float = Field(ge=0, le=1)
    met: bool = Field(description="Whether the gesture is there.")
    hint: HintView | None

    @classmethod
    def of(cls, insight: Insight) -> JudgeView:
        """The view of the domain's insight."""
        return cls(
            challenge=insight.challenge,
            position=insight.position,
            at=insight.at,
            neutral=insight.neutral,
            lines=lines(insight.neutral),
            reached=insight.reached,
            needed=insight.needed,
            confidence=insight.judgement.confidence,
            met=insight.judgement.passed,
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
    problem: str | None = Field(description="Why it cannot be judged: a hint's code.", examples=["too_far"])
    answer: FrameAnswer

    @classmethod
    def of(cls, frame: Frame, result: FrameResult) -> KeptFrame:
        """The view of a frame and of the result of judging it."""
        measures = {field.name: getattr(frame.observation, field.name) for field in fields(Observation)}
        return cls(id=frame.id, at=frame.at, answer=FrameAnswer.model_validate(result), **measures)


class TimedChallengeView(BaseModel):
    """One challenge, and when it was."""

    model_config = ConfigDict(from_attributes=True)

    type: ChallengeType
    timeout_seconds: float
    started_at: float | None = Field(description="When its clock started, in seconds since the epoch.")
    passed_at: float | None


class ObservationsView(BaseModel):
    """What the judges of a session see."""

    session_id: str
    state: State
    at: float = Field(description="The service's time, in seconds since the epoch.")
    ended_at: float | None
    challenges: list[TimedChallengeView] = Field(description="With reveal=next those revealed so far.")
    judge: JudgeView | None = Field(description="Null while no frame can be judged.")
    frames: list[KeptFrame] = Field(description="Oldest first.")

    @classmethod
    def of(
        cls, session: Session, at: float, insight: Insight | None, kept: list[tuple[Frame, FrameResult]]
    ) -> ObservationsView:
        """The view of a session of the domain, as it is at `at`."""
        return cls(
            session_id=session.id,
            state=session.state,
            at=at,
            ended_at=session.ended_at,
            challenges=[TimedChallengeView.model_validate(challenge) for challenge in session.revealed(at)],
            judge=insight and JudgeView.of(insight),
            frames=[KeptFrame.of(frame, result) for frame, result in kept],
        )
