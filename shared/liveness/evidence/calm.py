"""The judge of faces that return exactly to an earlier state, as one photo does, animated or held."""

from __future__ import annotations

from collections.abc import Sequence

from shared.liveness.evidence.stillness import stillness
from shared.liveness.frame import Frame

#: `Observation.flex` at which the score is a half: a living face at its calmest mostly shows more.
LIVING = 0.01
#: Quantile of the changes within two seconds that counts: the moments in which the face is most like it was.
_QUANTILE = 0.3
#: Least comparisons for a meaningful quantile.
_LEAST = 4


def calm(frames: Sequence[Frame], since: float) -> float | None:
    """How still the face was at its calmest, 0 (it lived) to 1 (nothing changed); None with too few comparisons.

    frames: oldest first; since: when the challenge began.
    """
    return stillness(frames, since, lambda seen: seen.flex, half=LIVING, quantile=_QUANTILE, least=_LEAST)
