"""What gives a screen away: its rim around the face, and its pixels against the camera's."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from shared.liveness.frame import Frame

#: Samples from which a median means anything: they are taken each half second or so.
_LEAST = 2


def screen(frames: Sequence[Frame]) -> float | None:
    """How surely straight edges enclose the face and end in corners, 0 to 1 (`Observation.rim`, median).

    None with too few samples.
    """
    return _median([f.observation.rim for f in frames if f.observation.rim is not None])


def moire(frames: Sequence[Frame]) -> float | None:
    """How far fine stripes stand out (`Observation.moire`, median); None with too few samples.

    Measured: people 8 to 52, a screen filmed from near by 620, screens from further away 14 to 33 as people.
    """
    return _median([f.observation.moire for f in frames if f.observation.moire is not None])


def _median(samples: list[float]) -> float | None:
    return median(samples) if len(samples) >= _LEAST else None
