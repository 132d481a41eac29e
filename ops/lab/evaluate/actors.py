"""Actors: people before the camera, as their recordings show them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count

from ops.lab.evaluate.manifest import Person, Segment
from ops.lab.evaluate.player import Scene, Source
from ops.lab.evaluate.video import Shot, shots
from shared.liveness.challenge import ChallengeType
from shared.liveness.session import FrameResult

#: Seconds at rest, while the prompt is read.
READING = 1.2


def forever(segments: Sequence[Segment], fps: float) -> Source:
    """Plays the segments again and again, whatever is answered."""
    for lap in count():
        for segment in segments:
            yield from shots(segment, fps, lap)


def reading(person: Person, fps: float) -> list[Shot]:
    """Plays the person at rest, while the prompt is read; nothing if there is no neutral recording."""
    if not person.neutral:
        return []
    return list(shots(person.neutral[0], fps))[: max(1, int(READING * fps))]


def showing(pictures: Iterable[Shot | None]) -> Scene:
    """Plays the pictures once; returns the answer to the last but one, since each answer comes with the next picture."""
    reply: FrameResult | None = None
    for shot in pictures:
        reply = yield shot
    return reply


def performer(person: Person, types: Sequence[ChallengeType], fps: float) -> Source:
    """Reads, then answers each challenge with this person's own clips of it until it has passed."""
    yield from showing(reading(person, fps))
    for challenge in types:
        yield from _act(person.gestures[challenge], fps)


def _act(segments: Sequence[Segment], fps: float) -> Source:
    for lap in count():
        for shot in shots(segments[lap % len(segments)], fps, lap):
            reply = yield shot
            if reply is not None and reply.passed:
                return
