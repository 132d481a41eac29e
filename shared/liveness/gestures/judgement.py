"""What a judge says."""

from __future__ import annotations

import math
from dataclasses import dataclass

from shared.liveness.hints import Hint


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether the challenge is met with the newest frame, how surely, and what to tell the person."""

    passed: bool
    confidence: float
    hint: Hint | None = None


def sureness(reached: float, needed: float) -> float:
    """From how much of a gesture is seen to a confidence: 0.5 at the amount needed."""
    return 1 / (1 + math.exp(-4 * (reached / needed - 1)))
