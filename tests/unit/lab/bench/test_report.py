"""What every part of `ops/bench` leaves behind."""

from __future__ import annotations

import json

import pytest
from rich.console import Console

from ops.lab.bench import charts
from ops.lab.bench.report import Table, shown, write


@pytest.mark.parametrize(
    ("value", "cell"),
    [(None, "–"), (0.1234, "0.12"), (3.14159, "3.14"), (31.4159, "31.4"), (1234.5, "1234"), ("a", "a")],
)
def test_a_cell_has_the_digits_that_count(value, cell):
    assert shown(value) == cell


def test_a_report_is_markdown_json_and_plots_that_say_what_was_measured_where(tmp_path):
    table = Table("By stage", ["ms", "median"], [["decode", 0.5], ["points", None]])
    plot = charts.stacked("A frame", "milliseconds", {"ours": {"decode": 0.5, "points": 1.0}, "theirs": {"all": 2.0}})
    write(Console(quiet=True), tmp_path, "part", tables=[table], plots={"stages": plot}, figures={"n": 2})
    text = (tmp_path / "part.md").read_text()
    assert "| decode | 0.50 |\n| points | – |\n" in text
    assert "![stages](part-stages.svg)" in text
    told = json.loads((tmp_path / "part.json").read_text())
    assert told["n"] == 2
    assert {"machine", "revision", "made"} <= set(told["about"])
    svg = (tmp_path / "part-stages.svg").read_text()
    assert svg.startswith("<?xml")
    assert "milliseconds" in svg
