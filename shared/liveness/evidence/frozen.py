"""The judge of still pictures: a photo, or a stack of photos between its changes."""

from __future__ import annotations

from collections.abc import Sequence

from shared.liveness.evidence import over_time
from shared.liveness.frame import Frame

#: `Observation.stir` under which a step from one frame to the next is camera noise.
STILL = 3.0
#: Least steps for a meaningful share.
LEAST_STEPS = 4


def frozen(frames: Sequence[Frame]) -> float | None:
    """The share of the time in which frames changed nothing but noise, 0 to 1; None with too few steps between frames."""
    seconds = over_time.durations([f.at for f in frames])
    steps = [
        (f.observation.stir < STILL, s) for f, s in zip(frames, seconds, strict=True) if f.observation.stir is not None
    ]
    return over_time.share(*zip(*steps, strict=True)) if len(steps) >= LEAST_STEPS else None
