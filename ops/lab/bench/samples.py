"""What became of each frame of a load, and what that says when it is taken together."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Sample:
    """One frame; times are seconds of the monotonic clock."""

    #: When it was to be sent. A load that waits for an answer before it sends the next frame has it due as it is sent.
    due: float
    sent: float
    done: float
    #: 0 where no answer came.
    status: int
    #: The problem's code, or what broke; empty where the frame was answered with 200.
    code: str = ""

    @property
    def latency(self) -> float:
        """Seconds from when it was due: a frame that was sent late has waited all the same."""
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
    #: How often each code came, of the frames that were not answered.
    codes: dict[str, int]
    #: Milliseconds by which frames were sent too late, p99: large where the generator itself could not keep up.
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
    """What was done with within [since, until)."""
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
    """The smallest value that so many percent of all do not exceed (nearest rank); None where there are none."""
    if not ordered:
        return None
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]
