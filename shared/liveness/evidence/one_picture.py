"""A face that is one picture, moved: a photo that a program animates carries its skin along unchanged."""

from __future__ import annotations

from collections.abc import Sequence

from shared.liveness.evidence.stillness import stillness
from shared.liveness.frame import Frame

#: `Observation.skin` at which the score is one half, as a share of the skin's brightness: that of most animated photos.
_HALF = 0.0015
#: The quantile of the frames' changes that counts. An animated photo comes back to its picture; a living face never does.
_QUANTILE = 0.3
#: Frames that must have been compared.
_LEAST = 4


def one_picture(frames: Sequence[Frame], since: float) -> float | None:
    """How much the skin stayed one picture, 0 (it lives) to 1 (the same picture, moved); None with too few frames.

    frames: oldest first; `since`: when the challenge began.
    """
    return stillness(frames, since, lambda seen: seen.skin, half=_HALF, quantile=_QUANTILE, least=_LEAST)
