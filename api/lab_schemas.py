"""What `api.lab` takes and gives."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from api.schemas import FrameAnswer, HintView, must_be
from shared.liveness.challenge import ChallengeType
from shared.liveness.frame import Frame
from shared.liveness.insight import Insight, needed_levels
from shared.liveness.session import FrameResult, Session, State


class KeptPage(BaseModel):
    """Which frames are asked for."""

    after: Annotated[float, Field(ge=0, allow_inf_nan=False), must_be("a time in seconds since the epoch")] = Field(
        0.0, description="Only frames that arrived later, in seconds since the epoch; the oldest 200 of them."
    )


class NeutralView(BaseModel):
    """The person at rest, as far as it has been seen: angles in degrees, the rest as a frame's measures."""

    model_config = ConfigDict(from_attributes=True)

    yaw: float
    pitch: float
    left_eye: float
    right_eye: float
    mouth_open: float
    smile: float


class JudgeView(BaseModel):
    """What the judge of a challenge sees with the newest frame that can be judged."""

    challenge: ChallengeType
    position: int = Field(ge=0, description="0 for the first.")
    at: float = Field(description="That frame's arrival, in seconds since the epoch.")
    neutral: NeutralView
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
            neutral=NeutralView.model_validate(insight.neutral),
            lines=needed_levels(insight.neutral),
            reached=insight.reached,
            needed=insight.needed,
            confidence=insight.judgement.confidence,
            met=insight.judgement.met,
            hint=insight.judgement.hint and HintView.model_validate(insight.judgement.hint),
        )


class MeasuresView(BaseModel):
    """One face's measures: `shared/liveness/observation.py` says what each is."""

    model_config = ConfigDict(from_attributes=True)

    yaw: float
    pitch: float
    roll: float
    scale: float
    left_eye: float
    right_eye: float
    mouth_open: float
    mouth_width: float
    mouth_drop: float
    sureness: float
    evenness: float


class KeptFrame(BaseModel):
    """One frame: what it showed, and what was answered."""

    id: str
    at: float = Field(description="Its arrival, in seconds since the epoch.")
    faces: int = Field(ge=0)
    problem: str | None = Field(description="Why it cannot be judged: a hint's code.", examples=["too_far"])
    brightness: float
    stir: float | None
    rim: float | None
    moire: float | None
    face: MeasuresView | None
    answer: FrameAnswer

    @classmethod
    def of(cls, frame: Frame, result: FrameResult) -> KeptFrame:
        """The view of a frame and the result of judging it."""
        seen = frame.observation
        return cls(
            id=frame.id,
            at=frame.at,
            faces=seen.faces,
            problem=seen.problem,
            brightness=seen.brightness,
            stir=seen.stir,
            rim=seen.rim,
            moire=seen.moire,
            face=seen.face and MeasuresView.model_validate(seen.face),
            answer=FrameAnswer.model_validate(result),
        )


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
