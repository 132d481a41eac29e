"""A face that comes back to what it was: one photo, animated or held, has a rest that is always the same."""

from __future__ import annotations

from collections.abc import Sequence

from shared.liveness.evidence.stillness import stillness
from shared.liveness.frame import Frame

#: `Observation.flex` at which the score is one half: a living face at its calmest mostly shows more.
LIVING = 0.01
#: The quantile of the changes within two seconds that counts: the moments in which a face is the most like before.
_QUANTILE = 0.3
#: Comparisons from which a quantile means anything.
_LEAST = 4


def calm(frames: Sequence[Frame], since: float) -> float | None:
    """How little the face changed within two seconds at its calmest, 0 (it lived) to 1 (nothing); None with too few frames.

    frames: oldest first; since: when the challenge began.
    """
    return stillness(frames, since, lambda seen: seen.flex, half=LIVING, quantile=_QUANTILE, least=_LEAST)
