"""Statistics over time, not over frames: the client chooses when it sends a frame, and so how often each moment counts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from shared.liveness.evidence.sight import LONGEST_STEP


def durations(times: Sequence[float]) -> list[float]:
    """The seconds that each moment stands for: those since the one before, at most LONGEST_STEP; the first as the second.

    times: rising, in seconds.
    """
    steps = [min(later - earlier, LONGEST_STEP) for earlier, later in pairwise(times)]
    return [steps[0] if steps else 1.0, *steps] if times else []


def quantile(values: Sequence[float], seconds: Sequence[float], part: float) -> float:
    """The quantile at `part` (0 to 1) of values that stand for so many seconds each; there must be at least one.

    Linearly interpolated between the middles of the seconds. With equal seconds it is numpy's.
    """
    order = np.argsort(values, kind="stable")
    ordered, weights = np.asarray(values)[order], np.asarray(seconds)[order]
    places = np.cumsum(weights) - weights / 2
    first, last = float(places[0]), float(places[-1])
    if last <= first:
        return float(np.quantile(ordered, part))
    return float(np.interp(first + part * (last - first), places, ordered))


def share(holds: Sequence[bool], seconds: Sequence[float]) -> float:
    """The share of the time in which something holds; 0 without time."""
    return sum(s for yes, s in zip(holds, seconds, strict=True) if yes) / (sum(seconds) or 1.0)
