"""What a judge says."""
from __future__ import annotations

from dataclasses import dataclass

from shared.liveness.hints import Hint


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether the challenge is met with the newest frame, how surely, and what to tell the person."""

    passed: bool
    confidence: float
    hint: Hint | None = None
