"""The fit of the weights, on made-up sessions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest

from ops.lab.evaluate.outcome import Outcome
from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence import Code, Finding, Preset, Weighing
from shared.liveness.evidence.weighing import Group
from tests.unit.lab.evaluate.fitting_sessions import population, session

pytest.importorskip("scipy", reason="requirements/lab.txt brings it")

from ops.lab.evaluate.fitting.crossed import verdict
from ops.lab.evaluate.fitting.fit import AGAINST, DECISIVE, FITTED_DECISIVE, IN_FAVOUR, WEAK, fit
from ops.lab.evaluate.fitting.samples import CLOSE_LOOKS, balanced, samples_of, silenced
from ops.lab.evaluate.fitting.thresholds import TURNED_AWAY, thresholds


def fitted(outcomes: Sequence[Outcome]) -> Weighing:
    return fit(samples_of(outcomes, FITTED_DECISIVE))


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    return population()


@pytest.fixture(scope="module")
def weighing(outcomes: list[Outcome]) -> Weighing:
    return fitted(outcomes)


def test_people_and_attacks_are_told_apart(weighing: Weighing, outcomes: list[Outcome]) -> None:
    genuine = [verdict(o, weighing).score for o in outcomes if o.kind == "bona_fide"]
    attacks = [verdict(o, weighing).score for o in outcomes if o.kind == "attack"]
    assert min(genuine) > max(attacks)
    assert min(genuine) > 0.5 > max(attacks)


def test_where_nothing_differs_nothing_is_told_apart() -> None:
    alike = [replace(o, findings=[("flat", 0.1 * (i % 5), 0)]) for i, o in enumerate(population())]
    weighing = fitted(alike)
    scores = [verdict(o, weighing).score for o in alike]
    assert max(scores) - min(scores) < 0.2


def test_every_curve_falls(weighing: Weighing) -> None:
    curves = [curve for by_group in weighing.curves.values() for curve in by_group.values()]
    assert curves
    for curve in curves:
        assert all(left < right for left, right in pairwise(curve.scores))
        assert all(left >= right for left, right in pairwise(curve.bits))


def test_a_judge_that_speaks_the_wrong_way_is_left_out() -> None:
    backwards = [
        replace(o, findings=[("flat", 0.9 if o.kind == "bona_fide" else 0.1 + 0.01 * (i % 7), 0)])
        for i, o in enumerate(population())
    ]
    bits = fitted(backwards).curves.get(Code.FLAT, {})
    assert all(max(curve.bits) - min(curve.bits) < 0.1 for curve in bits.values())


@pytest.mark.parametrize("code", [Code.CUT, Code.SCREEN, Code.FLAT])
def test_a_judge_stays_within_its_bounds_however_well_it_tells(code: Code) -> None:
    told = [
        replace(o, findings=[(str(code), 0.01 * (i % 9) + (0 if o.kind == "bona_fide" else 1), 0)])
        for i, o in enumerate(population(people=20))
    ]
    (curve,) = fitted(told).curves[code].values()
    assert min(curve.bits) >= WEAK.get(code, AGAINST)
    assert min(curve.bits) < -1
    assert max(curve.bits) <= (0.0 if code is Code.CUT else IN_FAVOUR)


def test_an_attack_gains_nothing_by_what_a_judge_cannot_see(weighing: Weighing, outcomes: list[Outcome]) -> None:
    attacks = [o for o in outcomes if o.kind == "attack"]
    for code in (Code.FLAT, Code.STIFF, Code.CUT):
        silent = [replace(o, findings=[f for f in o.findings if f[0] != code]) for o in attacks]
        live = [verdict(o, weighing).score >= 0.5 for o in silent]
        assert sum(live) <= len(live) // 20
    assert weighing.weigh([], [ChallengeType.TURN_LEFT]).score < 0.5, "who shows nothing is no living person"


def test_a_decisive_score_needs_no_fit(weighing: Weighing) -> None:
    good = [Finding(Code.FLAT, 0.1, 0), Finding(Code.STIFF, 0.1, 0)]
    bad = Finding(Code.REPEATED, DECISIVE[Code.REPEATED], 0)
    asked = [ChallengeType.TURN_LEFT]
    assert weighing.weigh(good, asked).score > 0.5
    assert weighing.weigh([*good, bad], asked).score == 0
    decided = session("ann", [(Code.REPEATED, 1.0, 0)], species="still")
    assert samples_of([decided], FITTED_DECISIVE) == []
    unlike = session("ann", [(Code.SWAPPED, 1.0, 0)], species="still")
    assert len(samples_of([unlike], FITTED_DECISIVE)) == 1, (
        "two photos that are unlike each other are to be told apart otherwise"
    )


def test_people_and_species_count_alike_however_many_sessions_they_have() -> None:
    outcomes = [*population(people=3), *[o for o in population(people=1) if o.species == "still"] * 5]
    samples = balanced(samples_of(outcomes, FITTED_DECISIVE))
    shares = {
        species: sum(s.weight for s in samples if s.species == species) / sum(s.weight for s in samples)
        for species in ("", "still", "photo_swap")
    }
    assert shares == pytest.approx({"": 0.5, "still": 0.25, "photo_swap": 0.25})
    much = sum(s.weight for s in samples if (s.person, s.species) == ("person 00", "still"))
    little = sum(s.weight for s in samples if (s.person, s.species) == ("person 01", "still"))
    assert much == pytest.approx(little)


def test_attacks_weigh_as_people_do_in_each_group_of_challenges() -> None:
    """Else what was asked for would speak for a person, only because people were asked for it more often than attacks."""
    outcomes = population(people=12)
    asked = [
        replace(o, asked=["BLINK"]) if i % (2 if o.kind == "bona_fide" else 5) == 0 else o
        for i, o in enumerate(outcomes)
    ]
    asked += [replace(o, asked=["TURN_LEFT", "SMILE"]) for o in outcomes]
    samples = balanced(samples_of(asked, FITTED_DECISIVE))
    for group in (Group.EYES, Group.HEAD, None):
        people, attacks = (
            sum(s.weight for s in samples if s.group is group and s.bona_fide is kind) for kind in (True, False)
        )
        assert attacks == pytest.approx(people)
    assert sum(s.weight for s in samples if s.bona_fide) == pytest.approx(sum(s.weight for s in samples) / 2)


def test_a_species_of_few_people_weighs_less() -> None:
    outcomes = [o for o in population(people=20) if o.species != "still" or o.person < "person 05"]
    samples = balanced(samples_of(outcomes, FITTED_DECISIVE))
    few, many = (sum(s.weight for s in samples if s.species == species) for species in ("still", "photo_swap"))
    assert few == pytest.approx(many / 2)


def test_of_each_attack_there_are_versions_in_which_judges_are_silent(outcomes: list[Outcome]) -> None:
    """A client chooses what the judges get to see. People's sessions are as they are; weights stay what they were."""
    samples = balanced(samples_of(outcomes, FITTED_DECISIVE))
    versions = silenced(samples)
    assert versions == silenced(samples), "the same in every fit"
    assert [s for s in versions if s.bona_fide] == [s for s in samples if s.bona_fide]
    attacks, made = [s for s in samples if not s.bona_fide], [s for s in versions if not s.bona_fide]
    assert len(made) == 3 * len(attacks)
    for attack, (whole, some, aside) in zip(attacks, zip(*[iter(made)] * 3, strict=True), strict=True):
        assert (whole.findings, set(some.findings) <= set(attack.findings)) == (attack.findings, True)
        assert aside.findings == tuple(f for f in attack.findings if f.code not in CLOSE_LOOKS)
        weights = [version.weight / attack.weight for version in (whole, some, aside)]
        assert weights == pytest.approx([0.6, 0.25, 0.15])
    left_out = 1 - sum(len(s.findings) for s in made[1::3]) / sum(len(s.findings) for s in attacks)
    assert left_out == pytest.approx(0.35, abs=0.1)
    assert sum(s.weight for s in made) == pytest.approx(sum(s.weight for s in samples if s.bona_fide))


def test_where_a_group_has_few_sessions_its_curve_leans_on_that_of_the_others(outcomes: list[Outcome]) -> None:
    """Where it has many sessions that show otherwise, it has a curve of its own."""
    rare = [replace(o, asked=["BLINK"]) for o in outcomes[:9]]
    curves = fitted([*outcomes, *rare]).curves[Code.STIFF]
    assert set(curves) == {Group.HEAD, Group.EYES}
    leaning, others = curves[Group.EYES].bits, curves[Group.HEAD].bits
    assert leaning[-1] < 0.5 * others[-1] < 0
    assert leaning[0] > 0.5 * others[0] > 0
    blind = [
        replace(
            o, asked=["BLINK"], findings=[(c, 0.3 + 0.1 * (i % 6) if c == "stiff" else s, n) for c, s, n in o.findings]
        )
        for i, o in enumerate(outcomes)
    ]
    apart = fitted([*outcomes, *blind]).curves[Code.STIFF]
    assert apart[Group.HEAD].bits[-1] < apart[Group.EYES].bits[-1] - 1


def test_a_face_that_is_surely_another_decides(weighing: Weighing) -> None:
    swapped = Finding(Code.SWAPPED, 0.6, 0)
    assert weighing.weigh([swapped], [ChallengeType.SMILE]).score == 0
    assert weighing.weigh([replace(swapped, score=0.599)], [ChallengeType.SMILE]).score > 0


def test_a_threshold_turns_away_the_share_that_is_wanted() -> None:
    scores = [(f"person {i}", 0.1 + i / 600) for i in range(500)]
    found = thresholds(scores)
    for preset, share in TURNED_AWAY.items():
        lost = sum(score < found[preset] for _, score in scores) / len(scores)
        assert lost == pytest.approx(share, abs=0.0021)
        assert lost <= share
    assert found[Preset.LENIENT] < found[Preset.STANDARD] < found[Preset.STRICT]


def test_a_person_with_many_sessions_moves_no_threshold_by_their_number() -> None:
    scores = [(f"person {i}", 0.5 + i / 1000) for i in range(100)]
    unlucky = [("person 0", 0.1)]
    assert thresholds([*scores[1:], *unlucky]) == thresholds([*scores[1:], *unlucky * 400])
