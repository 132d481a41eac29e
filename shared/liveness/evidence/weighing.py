"""How findings become a verdict: each weighs some bits for a living person or for an attack, and the sum decides.

A bit doubles the odds: a finding of +1 is twice as likely from a living person as from an attack, one of -1 half as likely.
Each judge's curve falls with its score and is bounded, so that one weak sign turns nobody away and several do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from shared.liveness.challenge import HEAD_MOVEMENTS, ChallengeType
from shared.liveness.evidence.finding import Code, Finding
from shared.liveness.evidence.presets import Preset

#: Bits of a finding that decides by itself: no sum of others outweighs it.
DECIDES: Final = -40.0


class Group(StrEnum):
    """The kinds of challenge that are judged alike: what a face shows differs with what it is asked for."""

    HEAD = "head"
    EYES = "eyes"
    MOUTH = "mouth"


def group_of(kind: ChallengeType) -> Group:
    """The group that a challenge belongs to."""
    if kind in HEAD_MOVEMENTS:
        return Group.HEAD
    return Group.EYES if kind is ChallengeType.BLINK else Group.MOUTH


@dataclass(frozen=True, slots=True)
class Curve:
    """The bits that each score of a judge weighs: straight between the knots, level beyond them."""

    #: Rising.
    scores: tuple[float, ...]
    #: Falling, or level: a higher score never speaks more for a living person.
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
    """All that a verdict goes by: fitted by `ops/evaluate --fit`, and the same for every session."""

    #: The curve of each judge, by the group of the challenge.
    curves: Mapping[Code, Mapping[Group, Curve]]
    #: Bits before anything was seen.
    prior: float
    #: What the bits are multiplied by, for 1, 2, 3 … challenges (the last holds for more): what one person's challenges
    #: show is not independent.
    scales: tuple[float, ...]
    #: The least score of a live session.
    thresholds: Mapping[Preset, float]
    #: Scores from which a judge decides by itself.
    decisive: Mapping[Code, float]
    #: From what and when the curves were fitted.
    made: Mapping[str, str] = field(default_factory=dict)

    def weigh(self, findings: Iterable[Finding], asked: Sequence[ChallengeType]) -> Verdict:
        """The verdict on a session that was asked for these challenges, from the findings about it."""
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
    """What all findings together say."""

    #: How likely it is that the session is a living person's, 0 to 1, where sessions come as in the fit.
    score: float
    #: Each with its bits.
    findings: list[Finding]

    @property
    def gravest(self) -> Finding | None:
        """The finding that weighs most against a living person; None where none does."""
        doubts = [f for f in self.findings if (f.bits or 0.0) < 0]
        return min(doubts, key=lambda f: f.bits or 0.0, default=None)


def weighs_against(finding: Finding) -> bool:
    """Whether a finding makes an attack at least twice as likely as a living person."""
    return finding.bits is not None and finding.bits <= -1.0
