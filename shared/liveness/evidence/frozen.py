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
    stirs, seconds = over_time.measured(frames, lambda seen: seen.stir)
    return over_time.share([stir < STILL for stir in stirs], seconds) if len(stirs) >= LEAST_STEPS else None
