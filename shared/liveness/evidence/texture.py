"""Fine detail that stays: a program that animates one photo carries the photo's detail along, with its noise.

A living face shows other detail in each frame: skin stretches, folds and turns to the light, and so do lashes and hair.
A camera's noise changes detail as well. So a changing detail proves nothing, and only a detail that stays is evidence.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.liveness.evidence.stillness import stillness
from shared.liveness.frame import Frame

#: `Observation.detail` at which the score is one half: that of most animated photos is less.
_HALF = 0.2
#: The quantile of the frames' changes that counts.
_QUANTILE = 0.3
#: Frames that must have been compared.
_LEAST = 4


def texture(frames: Sequence[Frame], since: float) -> float | None:
    """How much of the face's fine detail stayed, 0 (none) to 1 (all of it); None with too few comparisons.

    frames: oldest first; since: when the challenge began.
    """
    return stillness(frames, since, lambda seen: seen.detail, half=_HALF, quantile=_QUANTILE, least=_LEAST)
