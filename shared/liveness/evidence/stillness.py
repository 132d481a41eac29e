"""How still a face is at its calmest: what the scores of a face that is a picture have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from shared.liveness.evidence.sight import LOOK_BACK
from shared.liveness.frame import Frame
from shared.liveness.observation import Observation


def stillness(
    frames: Sequence[Frame],
    since: float,
    change: Callable[[Observation], float | None],
    *,
    half: float,
    quantile: float,
    least: int,
) -> float | None:
    """How little a change amounts to at its calmest, 0 (much) to 1 (nothing); None with too few comparisons.

    frames: oldest first; since: when the challenge began; change: the measurement, None where nothing was compared; half:
    the change at which the score is one half; quantile: of the changes, the one that counts; least: comparisons needed.
    """
    if not frames:
        return None
    since = min(since, frames[-1].at - LOOK_BACK)
    changes = [value for f in frames if f.at >= since and (value := change(f.observation)) is not None]
    return half / (half + float(np.quantile(changes, quantile))) if len(changes) >= least else None
