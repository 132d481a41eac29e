"""A rim around the face that moves by itself: a screen or a print that somebody holds."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import quantiles

from shared.liveness.frame import Frame

#: Samples from which it can be judged: one may have caught the hand, or a head before an edge, in mid-course.
_LEAST = 2
#: Of so many equal parts that samples are divided into, the last one's beginning counts: a hand is still now and then.
_PARTS = 4


def adrift(frames: Sequence[Frame]) -> float | None:
    """How surely a rim moved otherwise than what lies outside of it, 0 to 1 (`Observation.adrift`, upper quartile).

    None with too few samples. A low score does not clear anybody: a screen that stands still has no rim that moves.
    """
    samples = [f.observation.adrift for f in frames if f.observation.adrift is not None]
    if len(samples) < _LEAST:
        return None
    return quantiles(samples, n=_PARTS, method="inclusive")[-1]
