"""The judge `same_eyes`: a photo shows the very same eyes before and after each change, and living eyes hardly ever do.

A program that animates one photo closes its eyes, and opens them to what they were; photos that are cut or faded into each
other have two pairs of eyes. Living lids and a living gaze are never quite where they have been.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.liveness.evidence.stillness import stillness
from shared.liveness.frame import Frame

#: `Observation.eye_change` at which the score is a half: that of nine photos in ten is less.
_HALF = 0.02
#: The quantile of the samples' changes that counts: a photo's eyes change only while they close or open.
_QUANTILE = 0.4
#: Least samples in which the eyes were compared.
_LEAST = 3


def same_eyes(frames: Sequence[Frame], since: float) -> float | None:
    """How exactly the eyes came back, 0 (never) to 1 (the same picture each time); None with too few comparisons.

    frames: oldest first; since: when the challenge began.
    """
    return stillness(frames, since, lambda seen: seen.eye_change, half=_HALF, quantile=_QUANTILE, least=_LEAST)
