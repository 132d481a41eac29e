"""Plays pictures to a session offline, by the clock of the pictures: no server, no queue, no waiting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from itertools import count

from ops.lab.evaluate.identity import Identity
from ops.lab.evaluate.measuring import Measures
from ops.lab.evaluate.video import Shot
from shared.liveness.evidence import FITTED, Weighing
from shared.liveness.session import FrameResult, Session
from workers.vision.prior import Prior

#: The Unix time at which every session begins; not 0, since the domain expects real times.
BEGIN = 1_000_000.0

#: Yields pictures, and is sent the answer to the picture before. None: no frame is sent, and nothing is answered. A source
#: that ends is a client that falls silent.
Source = Generator[Shot | None, FrameResult | None, None]
#: A part of a source, which returns the latest answer.
Scene = Generator[Shot | None, FrameResult | None, FrameResult | None]


@dataclass(frozen=True, slots=True)
class Pass:
    """A challenge that was passed."""

    challenge: str
    #: Seconds since the first frame.
    at: float
    confidence: float
    #: The picture that passed the challenge.
    shot: Shot


@dataclass(slots=True)
class Played:
    """The outcome of a session that was played."""

    session: Session
    weighing: Weighing = FITTED
    passes: list[Pass] = field(default_factory=list)
    frames: int = 0
    #: Frames that could not be judged, by why.
    problems: Counter[str] = field(default_factory=Counter)
    #: Seconds from the first frame to the last one, or to the session's end by time alone.
    seconds: float = 0.0


def play(
    session: Session,
    source: Source,
    vision: Measures,
    identity: Identity,
    *,
    fps: float,
    seconds: float,
    weighing: Weighing = FITTED,
) -> Played:
    """Play until the session ends, or the source or the time runs out: then time goes on without the client.

    The session must have begun at BEGIN. weighing: what its verdict goes by.
    """
    played = Played(session, weighing)
    prior: Prior | None = None
    reply: FrameResult | None = None
    last: Shot | None = None
    for index in count():
        slot = index / fps
        if slot >= seconds or session.ended:
            break
        try:
            shot = source.send(reply)  # a generator's first step takes no answer
        except StopIteration:
            break
        if shot is None:
            reply = None
            identity.wait(session, BEGIN + slot)
            _tick(played, BEGIN + slot, last)
            continue
        last, played.seconds = shot, slot + shot.late
        at = BEGIN + played.seconds
        observation, prior = vision.measure(shot.data, prior, at)
        _drop_unneeded(session, at)
        reply = session.submit(str(index), observation, at, weighing=weighing)
        prior = prior and replace(prior, blinks=session.watches_eyes(at))
        identity.saw(session, shot.data, observation, reply, at)
        played.frames += 1
        if observation.problem is not None:
            played.problems[observation.problem] += 1
        if reply.passed and reply.challenge_type is not None:
            played.passes.append(Pass(str(reply.challenge_type), played.seconds, reply.confidence, shot))
    source.close()
    _fall_silent(played, identity, last)
    return played


def _fall_silent(played: Played, identity: Identity, last: Shot | None) -> None:
    """Let time pass, as the clock process does, until the session has ended."""
    while (due := played.session.due) is not None:
        identity.wait(played.session, due)
        _tick(played, due, last)


def _tick(played: Played, at: float, last: Shot | None) -> None:
    """Let time pass up to `at`; a pass counts for the last picture."""
    session = played.session
    current = session.current
    session.tick(at, played.weighing)
    if session.ended and session.ended_at is not None:
        played.seconds = max(played.seconds, session.ended_at - BEGIN)
    if current is not None and current.passed_at is not None and last is not None:
        passed = Pass(str(current.type), current.passed_at - BEGIN, current.confidence or 0.0, last)
        played.passes.append(passed)


def _drop_unneeded(session: Session, at: float) -> None:
    """Keep the frames that the repository would load: the opening and the last seconds."""
    until, since = session.frames_needed(at)
    session.frames = [f for f in session.frames if f.at <= until or f.at >= since]
