"""The dashboard and the alert rules speak of metrics that there are, with labels that they have."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from shared.telemetry.metrics.table import TABLE

DEPLOY = Path(__file__).parents[3] / "ops" / "deploy"
PROMETHEUS = DEPLOY / "prometheus"
DASHBOARD = json.loads((DEPLOY / "grafana" / "liveness.json").read_text())
#: What Prometheus itself adds to a series.
ADDED = {"le", "job", "instance"}


def expressions() -> Iterator[tuple[str, str]]:
    """Where it stands, and the expression."""
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]
    for group in yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]


def declared(series: str) -> str:
    """The metric that a series is of."""
    return series if series in TABLE else re.sub(r"_(bucket|sum|count)$", "", series)


@pytest.mark.parametrize(("where", "expression"), list(expressions()))
def test_each_metric_that_is_named_exists_and_has_those_labels(where: str, expression: str) -> None:
    named = re.findall(r"\b(liveness_\w+)(?:\{([^}]*)\})?", expression)
    assert named or "up{" in expression
    known = set(ADDED)
    for series, selector in named:
        metric = TABLE[declared(series)]
        assert (series != metric.name) == (metric.kind == "histogram"), f"{series} is no series of a {metric.kind}"
        assert set(re.findall(r"(\w+)\s*(?:=~|!=|!~|=)", selector)) <= {*metric.labels, *ADDED}
        known |= set(metric.labels)
    for labels in re.findall(r"\bby \(([^)]*)\)", expression):
        assert {label.strip() for label in labels.split(",")} <= known


def test_each_metric_is_looked_at_by_somebody() -> None:
    seen = {declared(s) for _, e in expressions() for s in re.findall(r"\bliveness_\w+", e)}
    assert seen >= set(TABLE)


def test_the_manual_lists_every_metric() -> None:
    manual = (DEPLOY.parents[1] / "docs" / "operation.md").read_text()
    assert set(re.findall(r"^\| `(liveness_\w+)` \|", manual, re.MULTILINE)) == set(TABLE)


def test_every_alert_is_tested_both_ways() -> None:
    alerts = {where for where, e in expressions() if where.startswith("Liveness")} - {"Liveness"}
    quiet, loud = yaml.safe_load((PROMETHEUS / "alerts_test.yml").read_text())["tests"]
    assert {test["alertname"] for test in quiet["alert_rule_test"]} == alerts
    firing = loud["promql_expr_test"][0]["exp_samples"]
    assert {re.findall(r'alertname="(\w+)"', sample["labels"])[0] for sample in firing} == alerts


def test_panels_do_not_lie_on_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert max(x for x, _ in cells) < 24
        assert not cells & taken, panel["title"]
        taken |= cells


@pytest.mark.parametrize("command", [("check", "config", "prometheus.yml"), ("test", "rules", "alerts_test.yml")])
def test_promtool_agrees(command: tuple[str, ...], tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        if os.environ.get("CI"):
            pytest.fail("no promtool: Debian's package prometheus has it", pytrace=False)
        pytest.skip("no promtool")
    shutil.copytree(PROMETHEUS, tmp_path, dirs_exist_ok=True)
    (tmp_path / "metrics_token").write_text("a token")  # what the configuration names is there
    done = subprocess.run([promtool, *command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
