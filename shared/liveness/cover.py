"""Whether the person is to uncover their face: only a hint follows, and no frame and nobody is turned away for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from shared.liveness.frame import Frame

#: `Observation.cover` from which a mask is seen, and `Observation.eye_light` up to which dark glasses are: beyond what bare
#: faces showed (docs/measurements.md).
MASK: Final = 2.8
DARK_GLASSES: Final = 0.38
#: Seconds up to the newest frame in which all samples must agree, and the least number of them: one is taken about every
#: 0.6 seconds.
LASTING: Final = 2.0
LEAST: Final = 3


def is_covered(frames: Sequence[Frame]) -> bool:
    """Whether a mask or dark glasses have covered the face in all of the newest samples; frames are oldest first."""
    seen = [f.observation for f in frames if f.at > frames[-1].at - LASTING]
    told = [o for o in seen if o.usable and o.cover is not None and o.eye_light is not None]
    if len(told) < LEAST:
        return False
    masked = all(o.cover is not None and o.cover >= MASK for o in told)
    return masked or all(o.eye_light is not None and o.eye_light <= DARK_GLASSES for o in told)
