"""Part 1, vision alone: milliseconds a frame of each engine, beside MediaPipe's own FaceMesh on the same frames."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from ops.lab.bench import charts, frames
from ops.lab.bench.machine import TOP
from ops.lab.bench.peer import environment
from ops.lab.bench.report import Table, report_option, write

PEER = "MediaPipe FaceMesh"
_KINDS = {
    "tracked": "tracked",
    "first": "first, or searched",
    "empty": "nobody there",
    "large": "tracked, 12 megapixels",
}
#: Stages that the plot shows as one: single ones would be too thin.
_TOGETHER = {
    "pose": "pose, light",
    "light": "pose, light",
    "stir": "evidence",
    "patch": "evidence",
    "rim": "evidence",
    "moire": "evidence",
}
#: The output of a measuring process.
_Figures = dict[str, Any]


@click.command()
@click.option("--engines", default="mesh,dlib", show_default=True, help="Our landmark engines, with commas.")
@click.option(
    "--frames", "count", type=click.IntRange(20, 5000), default=240, show_default=True, help="Tracked frames."
)
@click.option("--rounds", type=click.IntRange(1, 20), default=3, show_default=True, help="Turns of each, interleaved.")
@click.option(
    "--video",
    type=click.Path(exists=True, dir_okay=False, resolve_path=True, path_type=Path),
    help="Frames of this recording instead of the drawn performer's.",
)
@click.option("--peer/--no-peer", default=True, show_default=True, help="MediaPipe beside it (1 GB in var/peer).")
@report_option
def vision(*, engines: str, count: int, rounds: int, video: Path | None, peer: bool, report: Path) -> None:
    """Measure vision alone: milliseconds a frame, by kind of frame and by stage, of one process on one core.

    A frame's time is from the bytes of a 640 × 480 JPEG to the measures, on both sides. Each side has a process of its
    own, and they take turns, so that other work on the machine affects both.
    """
    console = Console()
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        lay_out(directory, count, video)
        sides = {name: [sys.executable, "-m", "ops.lab.bench.ours", folder, name] for name in engines.split(",")}
        if peer:
            sides[PEER] = [str(environment.python()), str(TOP / "ops/lab/bench/peer/mesh.py"), folder]
        found: dict[str, list[_Figures]] = {name: [] for name in sides}
        for turn in range(rounds):
            for name, command in sides.items():
                console.print(f"  {turn + 1}/{rounds} {name}", highlight=False)
                found[name].append(asked(command))
    merged = {name: merge(turns) for name, turns in found.items()}
    tables = [kinds_table(merged), stages_table(merged), process_table(merged)]
    plots = {"stages": charts.stacked("A tracked frame, by stage", "milliseconds", stage_means(merged))}
    write(console, report, "vision", tables=tables, plots=plots, figures={"sides": merged})


def lay_out(directory: Path, count: int, video: Path | None) -> None:
    """Write the frames of each kind into the directory that the measuring processes read."""
    face = frames.moving(count, video)
    few = max(10, count // 4)
    kinds = {
        "tracked": face,
        "first": face[:: max(1, count // few)],
        "empty": frames.empty(few),
        "large": frames.moving(min(20, few), video, frames.LARGE),
    }
    for kind, pictures in kinds.items():
        (directory / kind).mkdir()
        for i, data in enumerate(pictures):
            (directory / kind / f"{i:05}.jpg").write_bytes(data)


def asked(command: list[str]) -> _Figures:
    """Run a measuring process; returns the JSON of its last line."""
    told = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False)
    if told.returncode:
        raise click.ClickException(f"{' '.join(command)} ended with {told.returncode}:\n{told.stderr[-2000:]}")
    figures: _Figures = json.loads(told.stdout.splitlines()[-1])
    return figures


def merge(turns: list[_Figures]) -> _Figures:
    """Join all turns of one side."""
    merged: _Figures = {"memory": max(turn["memory"] for turn in turns)}
    for kind in _KINDS:
        if kind in turns[0]:
            merged[kind] = {
                "times": [time for turn in turns for time in turn[kind]["times"]],
                "faces": sum(turn[kind]["faces"] for turn in turns),
            }
    if "stages" in turns[0]:
        merged["load"] = statistics.median(turn["load"] for turn in turns)
        merged["stages"] = {s: [t for turn in turns for t in turn["stages"][s]] for s in turns[0]["stages"]}
    return merged


def kinds_table(merged: dict[str, _Figures]) -> Table:
    """Milliseconds by kind of frame, and how many times MediaPipe's."""
    rows: list[list[Any]] = []
    for kind, words in _KINDS.items():
        for name, figures in merged.items():
            times = figures[kind]["times"]
            took = [time[0] for time in times]
            middle = statistics.median(took)
            beside = statistics.median(t[0] for t in merged[PEER][kind]["times"]) if PEER in merged else None
            rows.append([
                f"{words}: {name}",
                middle,
                statistics.quantiles(took, n=100)[98],
                statistics.fmean(took),
                statistics.fmean(time[1] for time in times),
                f"{middle / beside:.2f} ×" if beside else None,
                f"{figures[kind]['faces']}/{len(times)}",
            ])  # fmt: skip
    columns = ["ms a frame", "median", "p99", "mean", "CPU, mean", "of MediaPipe's median", "faces"]
    return Table("Vision alone", columns, rows)


def stages_table(merged: dict[str, _Figures]) -> Table:
    """Milliseconds by stage of tracked frames: where it is passed, and spread over all frames."""
    rows = []
    for name, figures in merged.items():
        total = len(figures.get("stages", {}).get("all", ()))
        for stage, times in figures.get("stages", {}).items():
            if times:
                rows.append([f"{name}: {stage}", statistics.median(times), sum(times) / total, len(times) / total])
    return Table("By stage, tracked frames", ["ms", "where passed, median", "a frame, mean", "times a frame"], rows)


def process_table(merged: dict[str, _Figures]) -> Table:
    """The table of memory and loading time of a process."""
    rows = [[name, figures["memory"], figures.get("load")] for name, figures in merged.items()]
    return Table("A process", ["", "memory at most, MB", "loading the models, ms"], rows)


def stage_means(merged: dict[str, _Figures]) -> dict[str, dict[str, float]]:
    """For the plot: each side's mean by stage, and what is left of its tracked frame."""
    bars: dict[str, dict[str, float]] = {}
    for name, figures in merged.items():
        mean = statistics.fmean(time[0] for time in figures["tracked"]["times"])
        stages = figures.get("stages", {})
        parts: dict[str, float] = defaultdict(float)
        for stage, times in stages.items():
            if stage != "all" and times:
                parts[_TOGETHER.get(stage, stage)] += sum(times) / len(stages["all"])
        bars[name] = {**parts, "rest" if parts else "all": max(0.0, mean - sum(parts.values()))}
    return bars
