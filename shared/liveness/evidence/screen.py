"""Two judges of screens: of the rim around the face, and of the stripes that a screen's pixels make before a camera."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from shared.liveness.frame import Frame

#: Least samples for a meaningful median; one is taken about every half second.
_LEAST = 2


def screen(frames: Sequence[Frame]) -> float | None:
    """How surely straight edges enclose the face and meet in corners, 0 to 1; None with too few samples.

    The median of `Observation.rim`.
    """
    return _median([f.observation.rim for f in frames if f.observation.rim is not None])


def moire(frames: Sequence[Frame]) -> float | None:
    """How far fine stripes stand out, as a ratio of powers; None with too few samples.

    The median of `Observation.moire`.
    """
    return _median([f.observation.moire for f in frames if f.observation.moire is not None])


def _median(samples: list[float]) -> float | None:
    return median(samples) if len(samples) >= _LEAST else None
