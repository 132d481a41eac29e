"""A gesture that has been met, and whose pass waits until enough was seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from shared.liveness.evidence import Finding

#: Seconds that a pass waits at most: nobody is to wait for long for a worker that is not there or a camera that is too slow.
LONGEST_WAIT: Final = 3.0


@dataclass(frozen=True, slots=True)
class Held:
    """When the gesture was met, how surely, and what the frames showed that have come since.

    The findings travel with it: a session is concluded without its frames, and never without having been examined.
    """

    at: float
    confidence: float
    findings: tuple[Finding, ...] = ()

    @property
    def until(self) -> float:
        """When the pass waits no longer; later frames are not looked at."""
        return self.at + LONGEST_WAIT
