"""Whether scores hold what they say, on people whom the weights never saw: calibration, log loss and AUC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log2
from typing import Final

from ops.lab.evaluate.fitting.crossed import Crossed
from ops.lab.evaluate.fitting.fit import FITTED_DECISIVE, of_life
from ops.lab.evaluate.fitting.samples import Sample, balanced, samples_of, silenced
from ops.lab.evaluate.outcome import Outcome

#: The bins' edges; the last bin holds the score 1, too.
EDGES: Final = (0.0, 0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98, 1.0)


@dataclass(frozen=True, slots=True)
class Scored:
    """A session of the fit with the score that weights without its person give it."""

    bona_fide: bool
    weight: float
    score: float


@dataclass(frozen=True, slots=True)
class Bin:
    """The sessions with a score between two edges."""

    low: float
    high: float
    n: int
    #: Their mean score, and the share of them that is bona fide, both weighted as in the fit.
    score: float
    share: float


def scored(outcomes: Sequence[Outcome], found: Crossed) -> list[Scored]:
    """The sessions that the fit sees, with the weights that they have in it: copies with silent judges are among them."""
    return [
        Scored(s.bona_fide, s.weight, found.unseen(s.person).weigh(s.findings, s.asked).score)
        for s in weighed(samples_of(outcomes, FITTED_DECISIVE))
    ]


def weighed(samples: Sequence[Sample]) -> list[Sample]:
    """The samples as the fit weighs them, without those of species that show a living face."""
    return silenced(balanced(of_life(samples)))


def mix(sessions: Sequence[Scored]) -> float:
    """The share of the fit's weight that is bona fide: what a score takes for granted before anything was seen."""
    return sum(s.weight for s in sessions if s.bona_fide) / (sum(s.weight for s in sessions) or 1.0)


def bins(sessions: Sequence[Scored]) -> list[Bin]:
    """The bins that are not empty, lowest scores first."""
    made = []
    for low, high in pairwise(EDGES):
        own = [s for s in sessions if low <= s.score < high or s.score == high == 1.0]
        total = sum(s.weight for s in own)
        if total:
            mean = sum(s.weight * s.score for s in own) / total
            made.append(Bin(low, high, len(own), mean, mix(own)))
    return made


def log_loss(sessions: Sequence[Scored]) -> float:
    """The bits that the score falls short of certainty by, in the weighted mean: 1 of a coin, 0 of an oracle."""
    # Scores are rounded to four places: none of them is taken at its word to be certain.
    likely = [min(max(s.score if s.bona_fide else 1 - s.score, 5e-5), 1.0) for s in sessions]
    total = sum(s.weight for s in sessions) or 1.0
    return sum(-s.weight * log2(p) for s, p in zip(sessions, likely, strict=True)) / total


def auc(sessions: Sequence[Scored]) -> float:
    """The chance that a bona fide session has a higher score than an attack, as weighted; equal scores count half."""
    below, pairs = 0.0, 0.0
    by_score: dict[float, tuple[float, float]] = {}
    for s in sessions:
        genuine, attack = by_score.get(s.score, (0.0, 0.0))
        by_score[s.score] = (genuine + s.weight, attack) if s.bona_fide else (genuine, attack + s.weight)
    for _, (genuine, attack) in sorted(by_score.items()):
        pairs += genuine * (below + attack / 2)
        below += attack
    total = sum(genuine for genuine, _ in by_score.values()) * below
    return pairs / total if total else 0.5
