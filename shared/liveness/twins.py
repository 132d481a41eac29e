"""Drops twins: frames with the bytes of a picture that the client sent a moment ago, because its camera is slower.

A twin shows nothing new, so it is no evidence for or against anybody. A picture that comes back after others is no twin: a
camera never gives the same bytes again, but a recording that starts over does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from shared.liveness.frame import Frame

#: Frames of later pictures that may arrive before a twin: with two frames under way, one of them may be held up on its way.
OVERTAKEN_BY: Final = 4
#: Seconds, from the first of those frames on, within which the twin must arrive.
OVERTAKEN_FOR: Final = 1.0


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
