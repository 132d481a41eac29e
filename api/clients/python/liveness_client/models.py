"""The server's answers, as far as a client needs them. Fields that are not named here are ignored."""

from __future__ import annotations

from dataclasses import dataclass, field

from liveness_client.codes import ENDED


@dataclass(frozen=True, slots=True)
class Challenge:
    """One challenge: what the person is asked to do."""

    type: str
    instruction: str
    timeout_seconds: float


@dataclass(frozen=True, slots=True)
class Session:
    """A session, as the server answers its creation and a GET."""

    id: str
    state: str
    #: In the order in which the person meets them; with reveal=next only those revealed so far.
    challenges: tuple[Challenge, ...]
    #: The verdict; None from its creation, and until the session is complete.
    is_live: bool | None = None
    #: The token for the person's client, in the answer to a creation that asked for one; it opens this session only.
    token: str | None = field(default=None, repr=False)

    def instruction(self, challenge_type: str | None) -> str | None:
        """The sentence to show for a challenge; None if the session does not list it."""
        return next((c.instruction for c in self.challenges if c.type == challenge_type), None)


@dataclass(frozen=True, slots=True)
class Framing:
    """The middle and the size of the face, as fractions of the picture's width and height."""

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
    #: A word of help for the person. Older servers leave out this field and the next three.
    hint: str | None = None
    hint_code: str | None = None
    #: The challenge of `challenge_type`, with its sentence. With reveal=next no other answer names it.
    challenge: Challenge | None = None
    face: Framing | None = None

    @property
    def ended(self) -> bool:
        """Whether the session has ended, so that further frames change nothing."""
        return self.state in ENDED


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a check: the session's last known state, and the verdict if there is one.

    The state is one of the server's (`State`), or `cancelled` when the frames ended before the session, or `unknown` when
    the server does not know the session any more.
    """

    state: str
    is_live: bool | None

    @property
    def live(self) -> bool:
        """Whether the session was completed by a live person."""
        return self.state == "completed" and self.is_live is True
