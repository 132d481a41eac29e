"""Sessions and frames for the tests of rows, with every field set to something of its own."""

from __future__ import annotations

import uuid
from dataclasses import is_dataclass
from enum import Enum
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from shared.liveness.challenge import Challenge, ChallengeType, Prompt
from shared.liveness.evidence import Code, Finding, Preset
from shared.liveness.frame import Frame
from shared.liveness.framing import Framing
from shared.liveness.held import Held
from shared.liveness.hints import Hint
from shared.liveness.identity import Identity, Sample
from shared.liveness.observation import Observation
from shared.liveness.options import Options
from shared.liveness.session import Event, FrameResult, Session, State
from shared.liveness.terms import Terms

T = TypeVar("T")

#: A moment that a float holds only in part, as real ones are.
NOW = 1_790_000_000.123456


def new_id() -> str:
    return str(uuid.uuid4())


def pending(at: float = NOW, *, ttl: float = 300.0) -> Session:
    types = [ChallengeType.TURN_LEFT, ChallengeType.BLINK, ChallengeType.SMILE]
    return Session.open(new_id(), types, timeout_seconds=5.0, at=at, ttl=ttl)


def full() -> Session:
    """An ended session: no field has its default."""
    return Session(
        id=new_id(),
        challenges=[
            Challenge(ChallengeType.LOOK_UP, 4.5, started_at=NOW + 2, passed_at=NOW + 3, confidence=0.91),
            Challenge(ChallengeType.OPEN_MOUTH, 7.25, started_at=NOW + 3, passed_at=NOW + 5.5, confidence=1 / 3),
        ],
        created_at=NOW,
        expires_at=NOW + 200,
        mirrored=True,
        preset=Preset.STRICT,
        options=Options(pauses=(2 / 3,), threshold=0.7),
        state=State.COMPLETED,
        started_at=NOW + 1,
        ended_at=NOW + 5.5,
        is_live=False,
        reason="flat",
        score=1 / 7,
        findings=findings(),
        held=held(),
        identity=identity(),
        owner="0123456789ab",
        subject="5" * 64,
        terms=Terms(
            (ChallengeType.LOOK_UP, ChallengeType.OPEN_MOUTH), "num_challenges=2..", "Example", attempts_spent=True
        ),
        browser="b" * 64,
    )


def identity() -> Identity:
    """With a face that was compared, and one that is being."""
    known, asked = Sample(new_id(), NOW + 2.1, 1, 0, distance=1 / 3), Sample(new_id(), NOW + 3.2, 2, 1)
    return Identity(0.55, track=2, samples=[known, asked], passed_on=[1, 2])


def held() -> Held:
    """With what was found up to now, and what lacks."""
    return Held(NOW + 5.4, 2 / 3, (Finding(Code.STIFF, 2 / 3, 1), Finding(Code.UNSEEN, 0.25, 1)))


def findings() -> list[Finding]:
    """As a judge finds them, and one about the session as a whole."""
    return [Finding(Code.FLAT, 1 / 3, 0, bits=-2 / 3), Finding(Code.CUT, 0.0, 1), Finding(Code.SWAPPED, 0.7)]


def ended(at: float) -> Session:
    session = pending(at - 10)
    session.state, session.ended_at, session.reason = State.FAILED, at, "timed_out"
    return session


def event(kind: str = "session.started") -> Event:
    return Event(kind, NOW + 1, {"challenge": "BLINK", "confidence": 0.5, "is_live": None})


def observation() -> Observation:
    """One with a value of its own in every field, whichever fields there are."""
    return filled(Observation)


def filled(kind: type[T]) -> T:
    """An instance of a dataclass of plain values."""
    return kind(**{name: _value(hint, number) for number, (name, hint) in enumerate(get_type_hints(kind).items(), 1)})


def _value(hint: Any, number: int) -> Any:
    of = get_args(hint)
    if of and type(None) in of:
        return _value(next(part for part in of if part is not type(None)), number)
    if get_origin(hint) is tuple:
        return tuple(_value(part, number + i) for i, part in enumerate(of, 1))
    if is_dataclass(hint):
        return filled(hint)
    if issubclass(hint, Enum):
        return list(hint)[-1]
    plain = {bool: True, int: number, float: -number / 7, str: f"text {number}", bytes: bytes(range(256))}
    return plain[hint]


def frame(at: float = NOW, frame_id: str | None = None) -> Frame:
    return Frame(frame_id or new_id(), at, observation())


def result(session_id: str) -> FrameResult:
    return FrameResult(
        session_id=session_id,
        challenge_type=ChallengeType.BLINK,
        passed=True,
        confidence=0.92,
        challenges_remaining=2,
        session_complete=False,
        is_live=None,
        state=State.IN_PROGRESS,
        hint=Hint("passed", "Well done."),
        challenge=Prompt(ChallengeType.BLINK, "Blink your eyes", 5.0),
        face=Framing(0.5, 0.48, 0.3, 0.52),
    )
