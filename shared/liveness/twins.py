"""Drops twins: frames with the bytes of a picture that the client sent a moment ago, because its camera is slower.

A twin shows nothing new, so it is no evidence for or against anybody. A picture that comes back after others is no twin: a
camera never gives the same bytes again, but a recording that starts over does. A picture that is sent for longer than a
camera takes for the next one is held: it shows that nothing moved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from shared.liveness.frame import Frame

#: Frames of later pictures that may arrive before a twin: with two frames under way, one of them may be held up on its way.
OVERTAKEN_BY: Final = 4
#: Seconds, from the first of those frames on, within which the twin must arrive.
OVERTAKEN_FOR: Final = 1.0
#: Seconds after which a picture that is still sent is held: two pictures a second are the fewest that can be judged.
HELD_AFTER: Final = 0.5


def without_twins(frames: Sequence[Frame]) -> list[Frame]:
    """The frames, oldest first, without twins."""
    first: dict[str, int] = {}
    kept: list[Frame] = []
    for i, frame in enumerate(frames):
        picture = frame.observation.digest
        if not picture or picture not in first:
            first[picture] = i
            kept.append(frame)
        elif frames[i - 1].observation.digest != picture:
            others = [f for f in frames[first[picture] + 1 : i] if f.observation.digest != picture]
            if len(others) > OVERTAKEN_BY or frame.at - others[0].at > OVERTAKEN_FOR:
                kept.append(frame)  # it comes back
    return kept


def held(frames: Sequence[Frame]) -> list[Frame]:
    """The copies of a picture with a face that came later than HELD_AFTER, oldest first: frames in which nothing changes.

    An attacker who shows photos by a program could otherwise hide how still they stand, by sending the same bytes.
    """
    no_twins = {id(frame) for frame in without_twins(frames)}
    began: dict[str, float] = {}
    late = [f for f in frames if f.at - began.setdefault(f.observation.digest, f.at) > HELD_AFTER]
    return [_unchanged(f) for f in late if f.observation.usable and id(f) not in no_twins]


def _unchanged(twin: Frame) -> Frame:
    still = replace(twin.observation, stir=0.0, flex=0.0, flex_lately=0.0, skin=0.0, detail=0.0)
    return replace(twin, observation=still)
