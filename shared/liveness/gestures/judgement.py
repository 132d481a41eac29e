"""The decision of a gesture's judge, and how sure the judge is."""

from __future__ import annotations

import math
from dataclasses import dataclass

from shared.liveness.hints import Hint


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether the newest frame completes the gesture that was asked for, how surely, and what to tell the person."""

    met: bool
    #: How sure the judge is of the gesture, 0 to 1.
    confidence: float
    hint: Hint | None = None


#: Logistic curve over the reached share of the needed amount, fitted to clips of people: the share at which it is a half,
#: and its steepness.
_HALF, _SLOPE = 1.05, 3.4


def sureness(reached: float, needed: float) -> float:
    """The probability, 0 to 1, that the gesture was made, from how much of it was seen; beforehand it is a half."""
    return 1 / (1 + math.exp(-_SLOPE * (reached / needed - _HALF)))
