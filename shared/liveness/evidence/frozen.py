"""The judge of still pictures: a photo, or a stack of photos between its changes."""

from __future__ import annotations

from collections.abc import Sequence

from shared.liveness.frame import Frame

#: `Observation.stir` under which a step from one frame to the next is camera noise.
STILL = 3.0
#: Least steps for a meaningful share.
LEAST_STEPS = 4


def frozen(frames: Sequence[Frame]) -> float | None:
    """The share of steps from frame to frame that changed nothing but noise, 0 to 1; None with too few steps."""
    stirs = [f.observation.stir for f in frames if f.observation.stir is not None]
    if len(stirs) < LEAST_STEPS:
        return None
    return sum(s < STILL for s in stirs) / len(stirs)
