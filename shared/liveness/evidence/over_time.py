"""Statistics over time, not over frames: the client chooses when it sends a frame, and so how often each moment counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from shared.liveness.evidence.sight import LONGEST_STEP
from shared.liveness.frame import Frame
from shared.liveness.observation import Observation


def measured(
    frames: Sequence[Frame], measure: Callable[[Observation], float | None]
) -> tuple[list[float], list[float]]:
    """The values that were measured in some of the frames, oldest first, and the seconds that each value stands for.

    measure: the value measured in a frame; None if there is none.
    """
    seconds = durations([f.at for f in frames])
    found = [(value, s) for f, s in zip(frames, seconds, strict=True) if (value := measure(f.observation)) is not None]
    return [value for value, _ in found], [s for _, s in found]


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
