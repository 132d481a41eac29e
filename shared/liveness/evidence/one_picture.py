"""The judge of faces whose skin is one moved picture: a photo that a program animates carries its skin along unchanged."""

from __future__ import annotations

from collections.abc import Sequence

from shared.liveness.evidence.stillness import stillness
from shared.liveness.frame import Frame

#: `Observation.skin` at which the score is a half: that of most animated photos.
_HALF = 0.0015
#: Quantile of the changes that counts: an animated photo returns to its picture at times, a living face never does.
_QUANTILE = 0.3
#: Least comparisons for a meaningful quantile.
_LEAST = 4


def one_picture(frames: Sequence[Frame], since: float) -> float | None:
    """How much the skin stayed one picture, 0 (it lived) to 1 (the same picture); None with too few comparisons.

    frames: oldest first; since: when the challenge began.
    """
    return stillness(frames, since, lambda seen: seen.skin, half=_HALF, quantile=_QUANTILE, least=_LEAST)
