"""The plots: that they can be drawn of few figures as well as of many, and say what they show."""

from __future__ import annotations

import pytest

pytest.importorskip("matplotlib", reason="requirements/lab.txt brings it")

from ops.lab.evaluate import charts
from ops.lab.evaluate.results import summarise
from tests.unit.lab.evaluate.test_results import outcome, passed


def test_engines_and_rates_are_lines_beside_each_other() -> None:
    outcomes = [passed("hit", engine=e, fps=f) for e in ("mesh", "dlib") for f in (8.0, 5.0)]
    results = summarise([*outcomes, outcome("false_accept")], [], [])
    svg = charts.rate_chart(results.gestures)
    assert svg.count("<svg") == 1
    assert all(word in svg for word in ("mesh", "dlib", "frames a second"))


def test_presets_that_end_up_at_one_place_share_a_word() -> None:
    kinds = [{"kind": "bona_fide"}, {"kind": "attack", "species": "still"}]
    outcomes = [outcome(**kind, preset=preset) for kind in kinds for preset in ("standard", "strict")]
    assert "standard, strict" in charts.trade_off_chart(summarise(outcomes, [], []).verdicts)


def test_the_same_figures_make_the_same_picture() -> None:
    (rates,) = summarise([passed("hit"), outcome("false_accept")], [], []).gestures
    assert charts.gesture_chart(rates) == charts.gesture_chart(rates)
