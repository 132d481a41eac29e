"""What is said about a fit: tables, calibration, groups, the module."""

from __future__ import annotations

import ast
from dataclasses import replace

import pytest

from ops.lab.evaluate.outcome import Outcome
from shared.liveness.evidence import FITTED, Code, Finding, Preset, Weighing
from tests.unit.lab.evaluate.fitting_sessions import population

pytest.importorskip("scipy", reason="requirements/lab.txt brings it")

from ops.lab.evaluate.fitting.calibration import Scored, auc, bins, log_loss, mix, scored
from ops.lab.evaluate.fitting.crossed import Crossed, crossed
from ops.lab.evaluate.fitting.figures import rows, table, turned_away
from ops.lab.evaluate.fitting.groups import groups
from ops.lab.evaluate.fitting.module import module
from shared.liveness.challenge import ChallengeType


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    return population()


@pytest.fixture(scope="module")
def found(outcomes: list[Outcome]) -> Crossed:
    return crossed(outcomes, {"date": "2026-01-01", "note": 'a "quoted" \\ word'})


def losing(outcomes: list[Outcome], found: Crossed, people: dict[str, int]) -> Crossed:
    """As if so many of these people's bona fide sessions had not been live, and all others had."""
    left = dict(people)
    live = []
    for outcome in outcomes:
        lost = outcome.kind == "attack" or left.get(outcome.person, 0) > 0
        if outcome.kind == "bona_fide" and lost:
            left[outcome.person] -= 1
        live.append(dict.fromkeys(Preset, not lost))
    return replace(found, live=live)


@pytest.mark.parametrize("which", ["fitted", "shipped"])
def test_the_module_holds_the_very_weighing(found: Crossed, which: str) -> None:
    weighing = found.weighing if which == "fitted" else FITTED
    text = module(weighing)
    ast.parse(text)
    names: dict[str, Weighing] = {}
    exec(compile(text, "fitted.py", "exec"), names)
    assert names["FITTED"] == weighing
    findings = [Finding(Code.FLAT, 0.5, 0), Finding(Code.STIFF, 0.4, 0)]
    asked = [ChallengeType.TURN_LEFT]
    assert names["FITTED"].weigh(findings, asked) == weighing.weigh(findings, asked)


def test_the_table_has_a_row_for_each_species_worst_first(outcomes: list[Outcome], found: Crossed) -> None:
    live = [dict.fromkeys(Preset, o.species != "still") for o in outcomes]
    made = rows(outcomes, replace(found, live=live))
    assert [(r.species, r.n, r.people, r.live[Preset.STRICT]) for r in made] == [
        ("photo_swap", 36, 12, 36), ("still", 36, 12, 0), ("", 36, 12, 36),
    ]  # fmt: skip
    lines = table(made).splitlines()
    assert len({line.count("|") for line in lines}) == 1
    assert lines[2].startswith("| photo swap | one | 36 | 12 | 36 | 36 | 36 | 36 | 100 %")


def test_people_who_were_turned_away_are_named_the_worst_first(outcomes: list[Outcome], found: Crossed) -> None:
    lost = turned_away(outcomes, losing(outcomes, found, {"person 01": 1, "person 02": 3}))
    assert [*lost.items()] == [("person 02", (3, 3)), ("person 01", (1, 3))]


def test_groups_tell_who_is_turned_away_more(outcomes: list[Outcome], found: Crossed) -> None:
    names = sorted({o.person for o in outcomes})
    said = {
        name: {"glasses": i < 4, "age": 20 + i, "description": "someone", "name": name} for i, name in enumerate(names)
    }
    made = groups(outcomes, losing(outcomes, found, {names[0]: 3, names[1]: 1}), said)
    glasses = {g.value: g for g in made if g.attribute == "glasses"}
    assert (glasses["yes"].people, glasses["yes"].sessions, glasses["yes"].lost) == (4, 12, 4)
    assert glasses["yes"].share == pytest.approx(1 / 3)
    assert glasses["yes"].worst == f"{names[0]}: 3 of 3"
    assert (glasses["no"].share, glasses["no"].worst) == (0, "")
    assert [g.value for g in made if g.attribute == "age"] == ["above 25.5", "up to 25.5"]
    assert {g.attribute for g in made} == {"glasses", "age"}, "neither free text nor what is different for everybody"


def test_those_of_whom_nothing_is_said_are_a_group(outcomes: list[Outcome], found: Crossed) -> None:
    made = groups(outcomes, found, {"person 00": {"beard": True}, "nobody": {"hat": True}})
    assert [(g.attribute, g.value, g.people) for g in made] == [("beard", "not said", 11), ("beard", "yes", 1)]


def test_calibration_weighs_sessions_as_the_fit_does(outcomes: list[Outcome], found: Crossed) -> None:
    sessions = scored(outcomes, found)
    assert sum(s.weight for s in sessions if s.bona_fide) == pytest.approx(1)
    assert mix(sessions) == pytest.approx(0.5), "an attack's versions share its weight"
    made = bins(sessions)
    assert made[0].share == 0
    assert made[-1].share > 0.95
    assert sum(b.n for b in made) == len(sessions)
    assert log_loss(sessions) < 0.4
    assert auc(sessions) > 0.97


def test_calibration_counts_by_weight() -> None:
    made = bins([Scored(True, 3.0, 0.6), Scored(False, 1.0, 0.7), Scored(True, 1.0, 1.0), Scored(True, 1.0, 0.98)])
    assert [(b.low, b.n, b.share) for b in made] == [(0.5, 2, 0.75), (0.98, 2, 1.0)]
    assert made[0].score == pytest.approx(0.625)


def test_auc_and_log_loss_are_those_of_the_textbook() -> None:
    coin = [Scored(True, 1.0, 0.5), Scored(False, 1.0, 0.5)]
    assert (auc(coin), log_loss(coin)) == (0.5, 1.0)
    some = [Scored(True, 1.0, 0.75), Scored(True, 1.0, 0.25), Scored(False, 2.0, 0.5)]
    assert auc(some) == 0.5
    assert auc([Scored(True, 1.0, 0.9), Scored(True, 1.0, 0.3), Scored(False, 1.0, 0.3)]) == 0.75
    assert log_loss([Scored(True, 3.0, 0.25), Scored(False, 1.0, 0.5)]) == pytest.approx(1.75)
    assert log_loss([Scored(True, 1.0, 0.0)]) < 15, "a score is rounded, and no certainty"
