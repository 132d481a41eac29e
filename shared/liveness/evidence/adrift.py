"""The judge of a rim around the face that moves by itself: a screen or a print in somebody's hand."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import quantiles

from shared.liveness.frame import Frame

#: Least samples: a single one may have caught a moving hand, or a head in front of an edge.
_LEAST = 2


def adrift(frames: Sequence[Frame]) -> float | None:
    """How surely a rim moved differently from what lies outside it, 0 to 1 (the upper quartile of `Observation.adrift`).

    The upper quartile, because a hand is still at times. None with too few samples. A low score clears nobody: the rim of a
    screen that stands still does not move.
    """
    samples = [f.observation.adrift for f in frames if f.observation.adrift is not None]
    if len(samples) < _LEAST:
        return None
    return quantiles(samples, n=4, method="inclusive")[-1]
