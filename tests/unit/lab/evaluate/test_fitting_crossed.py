"""Verdicts on people, and on species, that the weights never saw."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from ops.lab.evaluate.outcome import Outcome
from shared.liveness.evidence import Code, Preset, Weighing
from tests.unit.lab.evaluate.fitting_sessions import drawn_by_lot, population, session

pytest.importorskip("scipy", reason="requirements/lab.txt brings it")
pytest.importorskip("matplotlib", reason="requirements/lab.txt brings it")

from ops.lab.evaluate.fitting import crossed as module
from ops.lab.evaluate.fitting.crossed import Crossed, crossed, without_species
from ops.lab.evaluate.fitting.running import judge_anew
from ops.lab.evaluate.fitting.samples import Sample

ODD = "person 03"


@pytest.fixture(scope="module")
def usual() -> list[Outcome]:
    return population(people=10, sessions=2)


@pytest.fixture(scope="module")
def peculiar(usual: list[Outcome]) -> list[Outcome]:
    """The same people, of whom one shows what an attack does, while the attacks on this one show what people do."""
    swapped = {"": "still", "still": "", "photo_swap": ""}
    chance = random.Random(1)
    return [
        replace(drawn_by_lot(ODD, swapped[o.species], chance=chance), kind=o.kind, species=o.species)
        if o.person == ODD
        else o
        for o in usual
    ]


def of(person: str, outcomes: list[Outcome], found: Crossed) -> list[float | None]:
    return [score for o, score in zip(outcomes, found.scores, strict=True) if o.person == person]


def test_nobody_is_judged_by_weights_that_saw_them(usual: list[Outcome], peculiar: list[Outcome]) -> None:
    by_the_usual, by_the_peculiar = crossed(usual, {}), crossed(peculiar, {})
    assert by_the_usual.unseen(ODD) == by_the_peculiar.unseen(ODD)
    assert by_the_usual.weighing != by_the_peculiar.weighing, "the weights of the service are over everybody"
    seen = next(p for p in {o.person for o in usual} if by_the_usual.part_of[p] != by_the_usual.part_of[ODD])
    assert by_the_usual.unseen(seen) != by_the_peculiar.unseen(seen)
    genuine = [
        s for s, o in zip(by_the_peculiar.scores, peculiar, strict=True) if (o.person, o.kind) == (ODD, "bona_fide")
    ]
    assert max(s for s in genuine if s is not None) < 0.5, "whom the weights never saw they do not know to be odd"


@pytest.mark.parametrize("strictly", [True, False])
def test_strict_thresholds_have_not_seen_their_person_even_through_the_scores_of_others(
    usual: list[Outcome], monkeypatch: pytest.MonkeyPatch, strictly: bool
) -> None:
    """With a fit that takes an instant, and whose every score tells each session that it saw."""

    def mean(samples: Sequence[Sample]) -> Weighing:
        scores = [f.score for s in samples for f in s.findings]
        return Weighing({}, 8 * sum(scores) / len(scores) - 4, (1.0,), dict.fromkeys(Preset, 0.5), {})

    monkeypatch.setattr(module, "fit", mean)
    odd = [replace(o, findings=[("flat", 9.0, 0)]) if o.person == ODD else o for o in usual]
    limits: list[list[tuple[str, float]]] = []
    monkeypatch.setattr(
        module, "thresholds", lambda scores: limits.append(sorted(scores)) or dict.fromkeys(Preset, 0.5)
    )
    for outcomes in (usual, odd):
        crossed(outcomes, {}, strictly=strictly)
    assert limits
    by_others = [[scores for scores in limits[at : at + 10] if all(p != ODD for p, _ in scores)] for at in (0, 11)]
    assert [len(b) for b in by_others] == [1, 1]
    assert (by_others[0] == by_others[1]) is strictly


def test_sessions_that_were_not_completed_have_no_score_and_are_not_live(usual: list[Outcome]) -> None:
    failed = session("person 00", [(Code.FLAT, 0.1, 0)], state="failed", is_live=None)
    found = crossed([*usual, failed], {})
    assert found.scores[-1] is None
    assert not any(found.live[-1].values())


def test_each_session_counts_once_for_the_thresholds_however_many_presets_played_it(usual: list[Outcome]) -> None:
    others = [replace(o, preset=preset) for o in usual for preset in ("lenient", "strict")]
    assert crossed([*usual, *others], {}).weighing == crossed(usual, {}).weighing


def test_a_species_left_out_is_judged_by_the_others(usual: list[Outcome]) -> None:
    verdicts = without_species(usual, "still")
    assert len(verdicts) == sum(o.species == "still" for o in usual)
    mild = [
        replace(o, findings=[*o.findings[:2], ("screen", 0.1 * (i // 6 % 3), 0)])
        if o.species != "still"
        else replace(o, findings=[("flat", 0.0, 0), ("stiff", 0.0, 0), ("screen", 0.8 + 0.1 * (i // 6 % 3), 0)])
        for i, o in enumerate(usual)
    ]
    known = [v for v, o in zip(crossed(mild, {}).live, mild, strict=True) if o.species == "still"]
    unknown = without_species(mild, "still")
    assert sum(v[Preset.STANDARD] for v in unknown) > sum(v[Preset.STANDARD] for v in known), (
        "only it had taught `screen`"
    )


def test_verdicts_of_a_run_are_made_anew_for_each_preset(peculiar: list[Outcome]) -> None:
    sessions = [replace(o, preset=p) for o in peculiar for p in ("lenient", "standard", "strict")]
    failed = session("person 00", [], state="failed", is_live=None, reason="timed_out")
    found = crossed([*sessions, failed], {})
    judge_anew([*sessions, failed], found)
    for one, score, live in zip(sessions, found.scores, found.live, strict=False):
        assert (one.score, one.is_live) == (score, live[Preset(one.preset)])
        assert (one.reason is None) == one.is_live
    odd = [o for o in sessions if o.person == ODD and o.kind == "bona_fide"]
    assert {o.reason for o in odd} <= {"flat", "stiff"}
    assert not any(o.is_live for o in odd)
    assert (failed.is_live, failed.reason, failed.score) == (None, "timed_out", None)


@pytest.mark.slow
def test_two_processes_fit_the_same(usual: list[Outcome]) -> None:
    assert crossed(usual, {}, strictly=True, processes=2) == crossed(usual, {}, strictly=True)
