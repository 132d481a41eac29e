"""What a judge says."""

from __future__ import annotations

import math
from dataclasses import dataclass

from shared.liveness.hints import Hint


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether the challenge is met with the newest frame, how surely, and what to tell the person."""

    met: bool
    confidence: float
    hint: Hint | None = None


#: A logistic curve over the share of the needed amount, fitted to 548 clips of 16 people (46 in which the gesture was asked
#: for, 502 of other things, weighed as equally likely): where it is half, and how steeply it rises there.
_HALF, _SLOPE = 1.05, 3.4


def sureness(reached: float, needed: float) -> float:
    """How likely it is that the gesture was made, given how much of it was seen, if it is as likely as not beforehand.

    Measured on the clips that it was fitted to: of those at 1 to 1.3 times the amount needed 78 % were the gesture (the
    curve says 0.46 to 0.7), at 1.3 to 2 times 90 % (0.7 to 0.96), beyond 96 %; "the others" contain some that were as well.
    """
    return 1 / (1 + math.exp(-_SLOPE * (reached / needed - _HALF)))
