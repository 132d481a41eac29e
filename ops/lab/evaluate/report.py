"""Writes the report of a run: report.html, which loads nothing from elsewhere, results.json, and the plots."""

from __future__ import annotations

import base64
import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import jinja2

from ops.lab.evaluate import charts
from ops.lab.evaluate.about import About
from ops.lab.evaluate.outcome import Outcome
from ops.lab.evaluate.presets import USUAL
from ops.lab.evaluate.results import GestureRates, Results, Verdicts
from ops.lab.evaluate.signals import Signals

_HERE = Path(__file__).parent


def write_report(
    directory: Path, about: About, results: Results, signals: Sequence[Signals], outcomes: Sequence[Outcome]
) -> Path:
    """Write everything into `directory`; returns the report's path."""
    directory.mkdir(parents=True, exist_ok=True)
    plots = _plots(results, signals)
    folder = directory / "plots"
    folder.mkdir(exist_ok=True)
    for name, svg in plots.items():
        (folder / f"{name}.svg").write_text(svg, encoding="utf-8")
    document = {"about": asdict(about), **asdict(results), "outcomes": [asdict(o) for o in outcomes]}
    (directory / "results.json").write_text(json.dumps(document, indent=1), encoding="utf-8")
    report = directory / "report.html"
    report.write_text(_page(about, results, signals, plots), encoding="utf-8")
    return report


def usual_rates(results: Results) -> GestureRates | None:
    """The figures that the report details: those of the first engine at the first rate."""
    return results.gestures[0] if results.gestures else None


def usual_verdicts(results: Results) -> Verdicts | None:
    """The sessions of the first engine at the first rate, under the usual preset."""
    return next((v for v in results.verdicts if v.preset == USUAL), results.verdicts[0] if results.verdicts else None)


def _plots(results: Results, signals: Sequence[Signals]) -> dict[str, str]:
    plots: dict[str, str] = {}
    rates, verdicts = usual_rates(results), usual_verdicts(results)
    if rates:
        plots["gestures"] = charts.gesture_chart(rates)
        plots["time"] = charts.time_chart(rates)
    if len({r.fps for r in results.gestures}) > 1:
        plots["rates"] = charts.rate_chart(results.gestures)
    if results.reach:
        plots["reach"] = charts.reach_chart(results.reach)
    if verdicts and verdicts.species:
        plots["attacks"] = charts.attack_chart(verdicts)
        same = [v for v in results.verdicts if (v.engine, v.fps) == (verdicts.engine, verdicts.fps)]
        if verdicts.rejected.n and len(same) > 1:
            plots["trade_off"] = charts.trade_off_chart(same)
    for recording in signals:
        plots[_plot_of(recording.path.name)] = charts.signals_chart(recording)
    return plots


def _page(about: About, results: Results, signals: Sequence[Signals], plots: dict[str, str]) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "words": charts.words,
        "percent": lambda share: f"{100 * share:.1f} %",
        "middle": _middle,
        "seconds": _seconds,
        "plot_of": _plot_of,
    }
    return environment.get_template("report.html.j2").render(
        about=about,
        results=results,
        rates=usual_rates(results),
        verdicts=usual_verdicts(results),
        recordings=[recording.path.name for recording in signals],
        # Each plot is a separate image: inlined plots would share ids.
        plots={name: base64.b64encode(svg.encode()).decode() for name, svg in plots.items()},
    )


def _middle(numbers: Sequence[float]) -> float | None:
    return statistics.median(numbers) if numbers else None


def _seconds(number: float | None) -> str:
    return "–" if number is None else f"{number:.2f} s".replace("-", "−")


def _plot_of(recording: str) -> str:
    return "signals_" + "".join(c if c.isalnum() else "_" for c in recording)
