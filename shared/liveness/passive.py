"""The scores of the operator's own model: which frames it is asked about, and what is found of them.

Workers run the model after the frame has been answered: this module only receives its scores.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import Final

from shared.liveness.evidence import Code, Finding
from shared.liveness.frame import Frame

#: Seconds between two samples at first, and after MANY of them: a session may last minutes.
SPACING, SPACING_LATER, MANY = 0.4, 2.0, 20
#: Most samples pending at once and in all of a session: whatever a client sends, the workers must have time for others.
MOST_PENDING, MOST_SAMPLES = 4, 100
#: Scores from which on there is a finding: one picture says little.
LEAST: Final = 3
#: Seconds after which a sample without a score counts as lost.
LOST_AFTER: Final = 3.0


@dataclass(slots=True)
class PassiveSample:
    """A frame whose face the model looks at."""

    frame_id: str
    #: When the frame arrived.
    at: float
    #: 0 for a living face to 1 for an attack; None while pending or lost.
    score: float | None = None


@dataclass(slots=True)
class Passive:
    """The samples of one session, in the order in which they were taken; part of a session."""

    samples: list[PassiveSample] = field(default_factory=list)

    def see(self, frame: Frame) -> None:
        """Take a frame as a sample if it is usable and one is due."""
        if not frame.observation.usable or len(self.samples) >= MOST_SAMPLES:
            return
        spacing = SPACING if len(self.samples) < MANY else SPACING_LATER
        if self.samples and frame.at - self.samples[-1].at < spacing:
            return
        if sum(self._is_pending(sample, frame.at) for sample in self.samples) < MOST_PENDING:
            self.samples.append(PassiveSample(frame.id, frame.at))

    def awaits(self, frame_id: str) -> bool:
        """Whether the frame is a sample whose score has not come in."""
        return any(sample.frame_id == frame_id and sample.score is None for sample in self.samples)

    def take(self, frame_id: str, score: float) -> None:
        """Take in the score of a sample; one that is not awaited (it came twice, or is no sample's) changes nothing."""
        for sample in self.samples:
            if sample.frame_id == frame_id and sample.score is None:
                sample.score = score

    def waits(self, at: float) -> bool:
        """Whether the scores are too few for a finding, and another one may still come in."""
        return len(self._scores) < LEAST and any(self._is_pending(sample, at) for sample in self.samples)

    def findings(self) -> list[Finding]:
        """The finding about the whole session: the median of the scores, if there are LEAST."""
        scores = self._scores
        return [Finding(Code.PASSIVE, round(median(scores), 4))] if len(scores) >= LEAST else []

    @property
    def _scores(self) -> list[float]:
        return [sample.score for sample in self.samples if sample.score is not None]

    @staticmethod
    def _is_pending(sample: PassiveSample, at: float) -> bool:
        return sample.score is None and at - sample.at <= LOST_AFTER
