"""A face that moves as a plane between its changes: photos in a hand, cut or faded from one to the next.

A hand turns and tilts a photo all the time, and each change to another photo alters the face at once. In between nothing
moves within it. A living face has no moments between: it breathes, its lids and lips stir, and its head turns in depth.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.liveness.evidence.stillness import stillness
from shared.liveness.frame import Frame

#: `Observation.flex_lately` at which the score is one half: the most that a photo in a hand shows.
LIVING = 0.13
#: The quantile of the comparisons that counts: a photo moves as a plane most of the time, a living face hardly ever.
_QUANTILE = 0.2
#: Comparisons from which a quantile means anything.
_LEAST = 3


def planar(frames: Sequence[Frame], since: float) -> float | None:
    """How much the face moved as a plane does, 0 (it lived) to 1 (a sheet); None with too few comparisons.

    frames: oldest first; since: when the challenge began.
    """
    return stillness(frames, since, lambda seen: seen.flex_lately, half=LIVING, quantile=_QUANTILE, least=_LEAST)
