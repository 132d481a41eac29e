"""A gesture that was met, while its challenge's pass is held back until enough of the face has been seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from shared.liveness.evidence import Finding

#: Seconds for which a pass is held at most: an absent worker or a slow camera must not keep a person waiting.
LONGEST_WAIT: Final = 3.0


@dataclass(frozen=True, slots=True)
class Held:
    """A gesture whose pass is held, with the findings so far.

    The findings are stored with it, because the clock may conclude a session when its frames are no longer at hand.
    """

    #: When the gesture was met.
    at: float
    #: How sure the judge was of the gesture, 0 to 1.
    confidence: float
    #: What the judges of the evidence found in the frames up to the newest one.
    findings: tuple[Finding, ...] = ()

    @property
    def until(self) -> float:
        """The end of the wait; frames that arrive later are not examined."""
        return self.at + LONGEST_WAIT
