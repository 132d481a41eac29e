"""The outcome of each frame of a load, and a summary of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Sample:
    """One frame; times are seconds of the monotonic clock."""

    #: When the frame was to be sent; in a closed load, when it was sent.
    due: float
    sent: float
    done: float
    #: 0 if no answer came.
    status: int
    #: See `ops.lab.rig.client.Answer`.
    code: str = ""

    @property
    def latency(self) -> float:
        """Seconds since the frame was due, so that a frame that was sent late has waited, too."""
        return self.done - self.due


@dataclass(frozen=True, slots=True)
class Summary:
    """A window of a load. Latencies are those of frames that were answered with 200, in milliseconds."""

    seconds: float
    frames: int
    answered: int
    p50: float | None
    p99: float | None
    longest: float | None
    #: The number of unanswered frames by code.
    codes: dict[str, int]
    #: Milliseconds by which frames were sent too late, p99; large if the load generator could not keep up.
    late: float | None

    @property
    def rate(self) -> float:
        """Frames a second that were answered."""
        return self.answered / self.seconds

    @property
    def refused(self) -> float:
        """The share of frames that were not answered."""
        return 1 - self.answered / self.frames if self.frames else 0.0

    def told(self) -> dict[str, Any]:
        """For the JSON."""
        return {name: getattr(self, name) for name in (*self.__slots__, "rate", "refused")}


def summary(samples: Sequence[Sample], since: float, until: float) -> Summary:
    """Summarize the samples that were done within [since, until)."""
    within = [s for s in samples if since <= s.done < until]
    took = sorted(1e3 * s.latency for s in within if s.status == 200)
    late = sorted(1e3 * (s.sent - s.due) for s in within)
    return Summary(
        seconds=until - since,
        frames=len(within),
        answered=len(took),
        p50=percentile(took, 50),
        p99=percentile(took, 99),
        longest=took[-1] if took else None,
        codes=dict(Counter(s.code for s in within if s.status != 200)),
        late=percentile(late, 99),
    )


def percentile(ordered: Sequence[float], percent: float) -> float | None:
    """The percentile of ordered values by the nearest rank; None without values."""
    if not ordered:
        return None
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]
