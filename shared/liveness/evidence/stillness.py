"""The score that the judges of faces without life (`calm`, `planar`, `one_picture`) have in common: the face's stillness."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from shared.liveness.evidence import over_time
from shared.liveness.evidence.sight import recent
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
    """How little a face changed, 0 (much) to 1 (nothing); None with too few comparisons.

    frames: oldest first; since: when the challenge began; change: the change measured in a frame, None if nothing was
    compared; half: the change at which the score is a half; quantile: the quantile of the changes over time that counts;
    least: the number of comparisons needed.
    """
    changes, seconds = over_time.measured(recent(frames, since), change)
    return half / (half + over_time.quantile(changes, seconds, quantile)) if len(changes) >= least else None
