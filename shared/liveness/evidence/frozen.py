"""A picture that stands still: a photo, or a stack of photos between its changes."""

from __future__ import annotations

from collections.abc import Sequence

from shared.liveness.frame import Frame

#: `Observation.stir` under which a step from one frame to the next is noise. Measured: a still picture under camera noise
#: 1.3 to 2.7, people 2.2 (a grainy recording) to 60, nine of ten steps above 5.
STILL = 3.0
#: Steps from which a share means anything.
LEAST_STEPS = 4


def frozen(frames: Sequence[Frame]) -> float | None:
    """The share of steps in which the face's picture did not change, 0 to 1; None with too few steps.

    Measured: people 0 to 0.17, stacks of photos from 0.87 on.
    """
    stirs = [f.observation.stir for f in frames if f.observation.stir is not None]
    if len(stirs) < LEAST_STEPS:
        return None
    return sum(s < STILL for s in stirs) / len(stirs)
