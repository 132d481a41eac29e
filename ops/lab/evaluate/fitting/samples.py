"""Sessions as the fit sees them: who, what it was, and what the judges found."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ops.lab.evaluate.outcome import Outcome
from ops.lab.evaluate.presets import USUAL
from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence import Code, Finding
from shared.liveness.evidence.weighing import Group, group_of

#: The chance with which an attack's findings of one judge are left out in the copy of it that the fit sees as well: a client
#: chooses what the judges get to see, and silence must not count in its favour.
SILENCED: Final = 0.35
#: The judges that need a close look at the face: who holds a photo aside, or half out of the picture, silences all of them.
CLOSE_LOOKS: Final = frozenset(
    {Code.STIFF, Code.PLANAR, Code.CALM, Code.ONE_PICTURE, Code.MIXED, Code.TEXTURE, Code.SAME_EYES}
)
#: How an attack's weight is shared among its version as it is, that without some findings, and that without close looks.
SHARES: Final = (0.6, 0.25, 0.15)
#: People under which a species weighs less.
FEW: Final = 10
#: How many times more or less the attacks of a group of challenges are to weigh, at the most, to weigh as bona fide ones do.
MOST: Final = 8.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One session that met its challenges and was not decided by a single finding."""

    person: str
    #: The species of an attack; empty for a bona fide session.
    species: str
    asked: tuple[ChallengeType, ...]
    findings: tuple[Finding, ...]
    #: Its share in the fit.
    weight: float = 1.0

    @property
    def bona_fide(self) -> bool:
        """Whether it is a living person's."""
        return not self.species

    @property
    def group(self) -> Group | None:
        """The group of its one challenge; None where there are several."""
        return group_of(self.asked[0]) if len(self.asked) == 1 else None


def samples_of(outcomes: Iterable[Outcome], decisive: Mapping[Code, float]) -> list[Sample]:
    """The samples among a run's outcomes: sessions that were completed, and that no finding has decided.

    decisive: the scores from which a finding decides.
    """
    found = []
    for outcome in outcomes:
        if outcome.kind not in ("bona_fide", "attack") or not outcome.completed or outcome.preset != USUAL:
            continue
        findings = tuple(Finding(Code(code), score, at) for code, score, at in outcome.findings)
        if not any(f.code in decisive and f.score >= decisive[f.code] for f in findings):
            asked = tuple(ChallengeType(kind) for kind in outcome.asked)
            found.append(Sample(outcome.person, outcome.species, asked, findings))
    return found


def balanced(samples: Sequence[Sample]) -> list[Sample]:
    """The same samples with weights: bona fide sessions as much as attacks, each person alike, each species alike.

    Both hold for each group of challenges by itself: else a blink would speak for a living person only because more people
    than attacks were asked for one. A species of less than FEW people weighs less.
    """
    people = Counter((s.person, s.species) for s in samples)
    species = Counter(name for _, name in people)
    shares = {name: min(1.0, n / FEW) if name else 1.0 for name, n in species.items()}
    weighed = [
        replace(s, weight=shares[s.species] / (people[s.person, s.species] * species[s.species])) for s in samples
    ]
    genuine, attacks = (_by_group(s for s in weighed if s.bona_fide is kind) for kind in (True, False))
    wanted = {
        group: min(MOST, max(1 / MOST, genuine[group] / own)) for group, own in attacks.items() if group in genuine
    }
    weighed = [s if s.bona_fide else replace(s, weight=wanted.get(s.group, 1.0) * s.weight) for s in weighed]
    total = sum(_by_group(s for s in weighed if not s.bona_fide).values())
    share = sum(genuine.values()) / total if genuine and total else 1.0
    return [s if s.bona_fide else replace(s, weight=share * s.weight) for s in weighed]


def _by_group(samples: Iterable[Sample]) -> dict[Group | None, float]:
    """The share of these samples' weight that each group of challenges has."""
    weights: dict[Group | None, float] = {}
    for sample in samples:
        weights[sample.group] = weights.get(sample.group, 0.0) + sample.weight
    return weights


def silenced(samples: Sequence[Sample], seed: int = 7) -> list[Sample]:
    """The samples; of each attack versions without some judges' findings, and without those of all close looks, as well."""
    result = []
    for place, sample in enumerate(samples):
        if sample.bona_fide:
            result.append(sample)
            continue
        chance = random.Random(f"{seed}:{sample.person}:{sample.species}:{place}")  # noqa: S311 - repeatable, not secret
        some = {code for code in Code if chance.random() < SILENCED}
        for share, quiet in zip(SHARES, (frozenset(), some, CLOSE_LOOKS), strict=True):
            kept = tuple(f for f in sample.findings if f.code not in quiet)
            result.append(replace(sample, findings=kept, weight=share * sample.weight))
    return result
