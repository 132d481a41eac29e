"""The gestures that a person can be asked for, and the state of one such request (`Challenge`) in a session."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ChallengeType(StrEnum):
    """The gesture that a challenge asks for; left and right are the person's own."""

    TURN_LEFT = "TURN_LEFT"
    TURN_RIGHT = "TURN_RIGHT"
    LOOK_UP = "LOOK_UP"
    LOOK_DOWN = "LOOK_DOWN"
    BLINK = "BLINK"
    SMILE = "SMILE"
    OPEN_MOUTH = "OPEN_MOUTH"


INSTRUCTIONS: dict[ChallengeType, str] = {
    ChallengeType.TURN_LEFT: "Turn your head to the left",
    ChallengeType.TURN_RIGHT: "Turn your head to the right",
    ChallengeType.LOOK_UP: "Look upward",
    ChallengeType.LOOK_DOWN: "Look downward",
    ChallengeType.BLINK: "Blink your eyes",
    ChallengeType.SMILE: "Smile",
    ChallengeType.OPEN_MOUTH: "Open your mouth",
}

HEAD_MOVEMENTS = frozenset(
    {ChallengeType.TURN_LEFT, ChallengeType.TURN_RIGHT, ChallengeType.LOOK_UP, ChallengeType.LOOK_DOWN}
)
EXPRESSIONS = frozenset({ChallengeType.BLINK, ChallengeType.SMILE, ChallengeType.OPEN_MOUTH})

OPPOSITES: dict[ChallengeType, ChallengeType] = {
    ChallengeType.TURN_LEFT: ChallengeType.TURN_RIGHT,
    ChallengeType.TURN_RIGHT: ChallengeType.TURN_LEFT,
    ChallengeType.LOOK_UP: ChallengeType.LOOK_DOWN,
    ChallengeType.LOOK_DOWN: ChallengeType.LOOK_UP,
}


@dataclass(frozen=True, slots=True)
class Prompt:
    """The part of a challenge that a client shows to the person."""

    type: ChallengeType
    instruction: str
    timeout_seconds: float


@dataclass(slots=True)
class Challenge:
    """One challenge of a session, and whether it has been passed.

    Times are seconds since the epoch.
    """

    type: ChallengeType
    timeout_seconds: float
    #: When the challenge's clock starts: at the first usable frame, or after the previous pass and pause; None until then.
    started_at: float | None = None
    #: When the gesture was met; set once the challenge has passed.
    passed_at: float | None = None
    #: How sure the judge was of the gesture, 0 to 1.
    confidence: float | None = None

    @property
    def instruction(self) -> str:
        """The sentence shown to the person."""
        return INSTRUCTIONS[self.type]

    @property
    def prompt(self) -> Prompt:
        """The part of this challenge that a client shows to the person."""
        return Prompt(self.type, self.instruction, self.timeout_seconds)

    @property
    def deadline(self) -> float | None:
        """When the challenge times out; None until its clock has started."""
        return None if self.started_at is None else self.started_at + self.timeout_seconds
