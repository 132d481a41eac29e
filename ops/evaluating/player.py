"""Plays pictures to a session offline, by the clock of the pictures: no server, no queue, no waiting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, field
from itertools import count

from ops.evaluating.identity import Identity
from ops.evaluating.measuring import Measures
from ops.evaluating.video import Shot
from shared.liveness.session import FrameResult, Session
from workers.vision.pipeline import Prior

#: Seconds since the epoch at which every session begins. Not 0: the domain's times are those of a clock.
BEGIN = 1_000_000.0

#: Gives pictures, and is sent the answer to the one before, as a client is.
Source = Generator[Shot, FrameResult | None, None]
#: A part of one, which returns the latest answer.
Scene = Generator[Shot, FrameResult | None, FrameResult | None]


@dataclass(frozen=True, slots=True)
class Pass:
    """A challenge that was passed."""

    challenge: str
    #: Seconds since the first frame.
    at: float
    confidence: float
    #: The picture it was passed with.
    shot: Shot


@dataclass(slots=True)
class Played:
    """What became of a session."""

    session: Session
    passes: list[Pass] = field(default_factory=list)
    frames: int = 0
    #: Frames that could not be judged, by why.
    problems: Counter[str] = field(default_factory=Counter)
    #: Seconds since the first frame.
    seconds: float = 0.0


def play(
    session: Session, source: Source, vision: Measures, identity: Identity, *, fps: float, seconds: float
) -> Played:
    """Play until the session ends, or the source or the time runs out. The session must have begun at BEGIN."""
    played = Played(session)
    prior: Prior | None = None
    reply: FrameResult | None = None
    for index in count():
        played.seconds = index / fps
        if played.seconds >= seconds:
            break
        try:
            # A generator's first step takes no answer.
            shot = source.send(reply)
        except StopIteration:
            break
        at = BEGIN + played.seconds
        observation, prior = vision.measure(shot.data, prior, at)
        _recall(session, at)
        reply = session.submit(str(index), observation, at)
        identity.saw(session, shot.data, observation, reply, at)
        played.frames += 1
        if observation.problem is not None:
            played.problems[observation.problem] += 1
        if reply.passed and reply.challenge_type is not None:
            played.passes.append(Pass(str(reply.challenge_type), played.seconds, reply.confidence, shot))
        if session.ended:
            break
    source.close()
    return played


def _recall(session: Session, at: float) -> None:
    """Leave at hand what the rows would bring back: the opening and the last seconds."""
    until, since = session.recall(at)
    session.frames = [f for f in session.frames if f.at <= until or f.at >= since]
