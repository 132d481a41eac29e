"""What the server says, as far as a client needs it. What else is in an answer, now or later, is passed over."""

from __future__ import annotations

from dataclasses import dataclass

from liveness_client.codes import ENDED


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the person is asked to do."""

    type: str
    instruction: str
    timeout_seconds: float


@dataclass(frozen=True, slots=True)
class Session:
    """A session as the server tells it at its creation and to a GET."""

    id: str
    state: str
    #: In their order; with reveal=next only those revealed so far.
    challenges: tuple[Challenge, ...]
    #: The verdict, where it was looked at after its end.
    is_live: bool | None = None

    def instruction(self, challenge_type: str | None) -> str | None:
        """The sentence for a challenge of this session."""
        return next((c.instruction for c in self.challenges if c.type == challenge_type), None)


@dataclass(frozen=True, slots=True)
class Framing:
    """Where the face is: its middle and size, as parts of the picture's width and height."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a frame."""

    challenge_type: str | None
    passed: bool
    confidence: float
    challenges_remaining: int
    session_complete: bool
    is_live: bool | None
    state: str
    #: A word of help; servers that give none leave it and what follows out.
    hint: str | None = None
    hint_code: str | None = None
    #: What `challenge_type` names, as it is shown: with reveal=next the only place where it is told.
    challenge: Challenge | None = None
    face: Framing | None = None

    @property
    def ended(self) -> bool:
        """Whether no further frame can change anything."""
        return self.state in ENDED


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended: the session's last known state, and the verdict where there is one.

    Besides the server's own states: `cancelled`, when the frames ended first, and `unknown`, when the server does not
    know the session any more.
    """

    state: str
    is_live: bool | None

    @property
    def live(self) -> bool:
        """Whether the server says: a live person."""
        return self.state == "completed" and self.is_live is True
