"""The weighing of findings: each weighs some bits for a living person or for an attack, and their sum gives the verdict.

A bit doubles the odds (a log-likelihood ratio to base 2): a finding of +1 is twice as likely from a living person as from an
attack, one of -1 half as likely. A judge's curve falls with the score and is bounded, so that no weak sign decides alone,
but several together do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from shared.liveness.challenge import HEAD_MOVEMENTS, ChallengeType
from shared.liveness.evidence.finding import Code, Finding
from shared.liveness.evidence.presets import Preset

#: Bits of a finding that decides alone: no sum of other findings outweighs it.
DECIDES: Final = -40.0


class Group(StrEnum):
    """The groups of gestures whose findings are weighed alike: a face shows different signs in each."""

    HEAD = "head"
    EYES = "eyes"
    MOUTH = "mouth"


def group_of(kind: ChallengeType) -> Group:
    """The group of a challenge."""
    if kind in HEAD_MOVEMENTS:
        return Group.HEAD
    return Group.EYES if kind is ChallengeType.BLINK else Group.MOUTH


@dataclass(frozen=True, slots=True)
class Curve:
    """The bits that each score of a judge weighs: linear between the knots, constant beyond them."""

    #: The knots' scores, rising.
    scores: tuple[float, ...]
    #: The knots' bits, never rising: a higher score never speaks more for a living person.
    bits: tuple[float, ...]

    def __call__(self, score: float) -> float:
        """The bits of one score."""
        if score <= self.scores[0]:
            return self.bits[0]
        for left, right, high, low in zip(self.scores, self.scores[1:], self.bits, self.bits[1:], strict=False):
            if score <= right:
                return high + (low - high) * (score - left) / (right - left)
        return self.bits[-1]


@dataclass(frozen=True, slots=True)
class Weighing:
    """The weights of a verdict, fitted by `ops/evaluate --fit`; the same for every session."""

    #: The curves of each judge, by the group of the challenge; a finding without a curve weighs nothing.
    curves: Mapping[Code, Mapping[Group, Curve]]
    #: Bits of a session without findings.
    prior: float
    #: Factor of the bits for 1, 2, 3 … challenges (the last one for more, too): findings about one person's challenges are
    #: not independent.
    scales: tuple[float, ...]
    #: The least score of a live session, by preset.
    thresholds: Mapping[Preset, float]
    #: The score from which a judge's finding decides alone.
    decisive: Mapping[Code, float]
    #: When and from what the weights were fitted.
    made: Mapping[str, str] = field(default_factory=dict)

    def weigh(self, findings: Iterable[Finding], asked: Sequence[ChallengeType]) -> Verdict:
        """The verdict from all findings about a session that asked for these challenges."""
        scale = self.scales[min(len(asked), len(self.scales)) - 1]
        weighed = [replace(f, bits=round(self._bits(f, asked, scale), 3)) for f in findings]
        total = self.prior + sum(f.bits or 0.0 for f in weighed)
        if any(f.bits == DECIDES for f in weighed):
            total = DECIDES
        return Verdict(round(1 / (1 + 2**-total), 4), weighed)

    def _bits(self, finding: Finding, asked: Sequence[ChallengeType], scale: float) -> float:
        limit = self.decisive.get(finding.code)
        if limit is not None and finding.score >= limit:
            return DECIDES
        curve = self.curves.get(finding.code, {}).get(group_of(asked[finding.challenge or 0]))
        return 0.0 if curve is None else scale * curve(finding.score)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on a session: its score, and the weighed findings."""

    #: Probability, 0 to 1, that the session is a living person's, if attacks are as frequent as in the fit.
    score: float
    #: The findings, each with its bits.
    findings: list[Finding]

    @property
    def gravest(self) -> Finding | None:
        """The finding that weighs most against a living person; None if none does."""
        against = [f for f in self.findings if (f.bits or 0.0) < 0]
        return min(against, key=lambda f: f.bits or 0.0, default=None)


def weighs_against(finding: Finding) -> bool:
    """Whether a finding makes an attack at least twice as likely as a living person."""
    return finding.bits is not None and finding.bits <= -1.0
