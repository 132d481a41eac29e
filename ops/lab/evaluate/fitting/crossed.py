"""Verdicts on people whom the weights never saw, and the weights that are fitted over all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Final

from ops.lab.evaluate.fitting.fit import FITTED_DECISIVE, fit
from ops.lab.evaluate.fitting.folds import fits_without, parts_of
from ops.lab.evaluate.fitting.samples import samples_of
from ops.lab.evaluate.fitting.thresholds import thresholds
from ops.lab.evaluate.outcome import Outcome
from ops.lab.evaluate.presets import USUAL
from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence import Code, Finding, Preset, Verdict, Weighing

#: What every threshold is above the score of a session that has shown nothing, at the least.
SHOWN: Final = 0.01
#: The live verdict of each preset.
Live = dict[Preset, bool]
#: The thresholds that hold for each part of the people.
Limits = dict[int, dict[Preset, float]]


@dataclass(frozen=True, slots=True)
class Crossed:
    """What a fit came to."""

    #: Over everybody: for the service.
    weighing: Weighing
    #: For each outcome the score that weights without this person give it; None where it was not completed.
    scores: list[float | None]
    #: For each outcome and preset, whether it was live by weights that never saw this person. The thresholds have not seen
    #: this person's sessions either; whether the weights that gave the others their scores have, says `crossed`.
    live: list[Live]
    #: The part of the people that each person belongs to, and the fits over everybody but some parts.
    part_of: dict[str, int]
    fits: dict[frozenset[int], Weighing]

    def unseen(self, person: str) -> Weighing:
        """The fit over everybody but the part of the people that this person belongs to."""
        return self.fits[frozenset({self.part_of[person]})]


def crossed(
    outcomes: Sequence[Outcome], made: Mapping[str, str], *, strictly: bool = False, processes: int = 1
) -> Crossed:
    """Fit over everybody, and judge each outcome by a fit over the others.

    strictly: the scores that a person's thresholds are taken from are given by fits without this person, too. It takes a
    fit for each two parts of the people.
    """
    samples = samples_of(outcomes, FITTED_DECISIVE)
    part_of = parts_of(o.person for o in outcomes)
    fits = fits_without(samples, part_of, fit, pairs=strictly, processes=processes)
    scores = [_score(o, fits[frozenset({part_of[o.person]})]) for o in outcomes]
    limits = _strict_limits(outcomes, fits, part_of) if strictly else _limits(outcomes, scores, part_of)
    live = [_live(score, limits[part_of[o.person]]) for o, score in zip(outcomes, scores, strict=True)]
    weighing = fit(samples)
    limits_of_all = _above(weighing, thresholds(_genuine(outcomes, scores)))
    weighing = replace(weighing, thresholds=limits_of_all, made=dict(made))
    return Crossed(weighing, scores, live, part_of, fits)


def _above(weighing: Weighing, limits: Mapping[Preset, float]) -> dict[Preset, float]:
    """The thresholds, each above the score of a session that has shown nothing."""
    least = round(weighing.weigh([], []).score + SHOWN, 3)
    return {preset: max(limit, least) for preset, limit in limits.items()}


def without_species(outcomes: Sequence[Outcome], species: str, *, processes: int = 1) -> list[Live]:
    """The verdicts on one species' attacks by a fit that saw neither the species nor the person attacked."""
    samples = [s for s in samples_of(outcomes, FITTED_DECISIVE) if s.species != species]
    part_of = parts_of(o.person for o in outcomes)
    fits = fits_without(samples, part_of, fit, processes=processes)
    judged = [o for o in outcomes if o.kind == "bona_fide" or o.species == species]
    scores = [_score(o, fits[frozenset({part_of[o.person]})]) for o in judged]
    limits = _limits(judged, scores, part_of)
    verdicts = [_live(score, limits[part_of[o.person]]) for o, score in zip(judged, scores, strict=True)]
    return [live for o, live in zip(judged, verdicts, strict=True) if o.species == species]


def verdict(outcome: Outcome, weighing: Weighing) -> Verdict:
    """The verdict that a weighing gives on a session that was played before."""
    findings = [Finding(Code(code), score, at) for code, score, at in outcome.findings]
    return weighing.weigh(findings, [ChallengeType(kind) for kind in outcome.asked])


def _limits(outcomes: Sequence[Outcome], scores: Sequence[float | None], part_of: Mapping[str, int]) -> Limits:
    """Of each part the thresholds that the other people's scores give."""
    genuine = _genuine(outcomes, scores)
    return {
        part: thresholds([(person, score) for person, score in genuine if part_of[person] != part])
        for part in set(part_of.values())
    }


def _strict_limits(
    outcomes: Sequence[Outcome], fits: Mapping[frozenset[int], Weighing], part_of: Mapping[str, int]
) -> Limits:
    """The same, where the others' scores are given by fits that saw neither them nor the part."""
    found: dict[int, list[tuple[str, float]]] = {part: [] for part in part_of.values()}
    genuine = [o for o in outcomes if o.kind == "bona_fide"]
    for one, other in permutations(found, 2):
        judged = [o for o in genuine if part_of[o.person] == other]
        found[one] += _genuine(judged, [_score(o, fits[frozenset({one, other})]) for o in judged])
    return {part: thresholds(scores) for part, scores in found.items()}


def _genuine(outcomes: Sequence[Outcome], scores: Sequence[float | None]) -> list[tuple[str, float]]:
    """The bona fide sessions' (person, score), each session once: every preset plays the same ones."""
    return [
        (o.person, score)
        for o, score in zip(outcomes, scores, strict=True)
        if o.kind == "bona_fide" and o.preset == USUAL and score is not None
    ]


def _live(score: float | None, limits: Mapping[Preset, float]) -> Live:
    return {preset: score is not None and score >= least for preset, least in limits.items()}


def _score(outcome: Outcome, weighing: Weighing) -> float | None:
    return verdict(outcome, weighing).score if outcome.completed else None
