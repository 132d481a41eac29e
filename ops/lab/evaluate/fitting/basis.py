"""Monotone curves as a sum of steps, so that fitting them is a convex problem.

A judge's curve for one group of challenges is `start - steps[0] * f0(score) - steps[1] * f1(score) - …`: each f rises from
0 to 1 between two knots. Start and steps are not negative: the curve falls. Each is the sum of a part that all groups share
and a part of the group's own, both penalised: where a group has few sessions, its curve is that of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ops.lab.evaluate.fitting.samples import Sample
from shared.liveness.evidence import Code
from shared.liveness.evidence.weighing import Curve, Group, group_of

Array = NDArray[np.float64]

#: The quantiles of a judge's scores, of people's and of attacks', at which its curve may bend: where either is dense.
PEOPLES: Final = (0.1, 0.5, 0.8, 0.95)
ATTACKS: Final = (0.1, 0.4, 0.8)
#: The least distance between two knots, as a share of the scores' range.
APART: Final = 0.02
#: Judges whose best score says nothing in favour: a picture may be too small for stripes, a photo that stays does not jump,
#: a fade that lies roughly over what came before looks unmixed, noise that is laid over a picture changes its detail, other
#: photos have other eyes, which look elsewhere, and a program may move the eyes as well.
NEVER_IN_FAVOUR: Final = frozenset(
    {
        Code.MOIRE,
        Code.REPEATED,
        Code.CUT,
        Code.MIXED,
        Code.TEXTURE,
        Code.STARING,
        Code.SAME_EYES,
        Code.CAMERA,
    }
)
#: Judges that are not weighed: they decide by themselves.
LEFT_OUT: Final = frozenset({Code.UNSEEN})


@dataclass(frozen=True, slots=True)
class Block:
    """The numbers of one judge among those of the fit: a start and steps that are shared, then those of each group."""

    code: Code
    knots: tuple[float, ...]
    groups: tuple[Group, ...]
    #: Position of its first number.
    at: int

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return len(self.knots) * (1 + len(self.groups))

    def add(self, features: Array, score: float, group: Group) -> None:
        """Add what its numbers mean to a session that has this score to the session's features (numbers)."""
        if group not in self.groups:
            return
        knots = np.array(self.knots)
        rises = np.concatenate(([1.0], -np.clip((score - knots[:-1]) / np.diff(knots), 0.0, 1.0)))
        own = self.at + len(knots) * (1 + self.groups.index(group))
        features[self.at : self.at + len(knots)] += rises
        features[own : own + len(knots)] += rises

    def curve(self, numbers: Array, group: Group, lowest: float) -> Curve:
        """The curve that the fitted numbers make for a group, in bits, not below `lowest`."""
        shared, *own = numbers[self.at : self.at + self.size].reshape(-1, len(self.knots))
        both = shared + own[self.groups.index(group)]
        bits = np.maximum((both[0] - np.concatenate(([0.0], np.cumsum(both[1:])))) / np.log(2), lowest)
        return Curve(tuple(round(k, 5) for k in self.knots), tuple(round(float(b), 3) for b in bits))


def blocks_of(samples: Sequence[Sample]) -> list[Block]:
    """A block for each judge that has scores which differ."""
    scores: dict[Code, list[tuple[Group, float, bool]]] = {}
    for sample in samples:
        for finding in sample.findings:
            if finding.code not in LEFT_OUT:
                group = group_of(sample.asked[finding.challenge or 0])
                scores.setdefault(finding.code, []).append((group, finding.score, sample.bona_fide))
    blocks, at = [], 0
    for code, found in sorted(scores.items()):
        peoples = [score for _, score, bona_fide in found if bona_fide]
        attacks = [score for _, score, bona_fide in found if not bona_fide]
        knots = _knots(peoples, attacks)
        if len(knots) > 1:
            blocks.append(Block(code, knots, tuple(sorted({group for group, _, _ in found})), at))
            at += blocks[-1].size
    return blocks


def _knots(peoples: Sequence[float], attacks: Sequence[float]) -> tuple[float, ...]:
    """The scores at which a curve may bend, rising: the ends of what was seen, and quantiles of both kinds between them."""
    every = [*peoples, *attacks]
    ends = min(every), max(every)
    inner = [
        float(q) for values, at in ((peoples, PEOPLES), (attacks, ATTACKS)) if values for q in np.quantile(values, at)
    ]
    least = APART * (ends[1] - ends[0])
    knots = [round(ends[0], 5)]
    knots += [q for q in sorted(round(q, 5) for q in inner) if ends[0] < q < ends[1]]
    kept = knots[:1]
    for knot in [*knots[1:], round(ends[1], 5)]:
        if knot - kept[-1] > least:
            kept.append(knot)
    return tuple(kept)


def design(samples: Sequence[Sample], blocks: Sequence[Block], power: float) -> Array:
    """The features of all samples (samples, numbers): of each judge the sum over its findings, by the session's length.

    power: the sum over n challenges counts n**-power; 0 for independent challenges, 1 for one and the same.
    """
    by_code = {block.code: block for block in blocks}
    features = np.zeros((len(samples), sum(block.size for block in blocks)))
    for row, sample in enumerate(samples):
        for finding in sample.findings:
            block = by_code.get(finding.code)
            if block is not None:
                block.add(features[row], finding.score, group_of(sample.asked[finding.challenge or 0]))
        features[row] *= len(sample.asked) ** -power
    return features
