"""The judge of faces that move like a plane between their changes: photos in a hand, cut or faded from one to the next.

A hand turns and tilts a photo all the time, and a change to another photo alters the whole face; in between nothing moves
within the face. A living face always moves within: it breathes, its lids and lips stir, its head turns in depth.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.liveness.evidence.stillness import stillness
from shared.liveness.frame import Frame

#: `Observation.flex_lately` at which the score is a half: the most that a photo in a hand shows.
LIVING = 0.13
#: Quantile of the changes that counts: a photo moves like a plane most of the time, a living face hardly ever.
_QUANTILE = 0.2
#: Least comparisons for a meaningful quantile.
_LEAST = 3


def planar(frames: Sequence[Frame], since: float) -> float | None:
    """How much the face moved like a plane, 0 (it lived) to 1 (a sheet); None with too few comparisons.

    frames: oldest first; since: when the challenge began.
    """
    return stillness(frames, since, lambda seen: seen.flex_lately, half=LIVING, quantile=_QUANTILE, least=_LEAST)
