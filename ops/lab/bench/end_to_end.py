"""Part 2, end to end: the whole service and the one-process server, on the same cores, under the same load."""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from ops.lab.bench import charts, frames, usage
from ops.lab.bench.options import bodies_of, load_options
from ops.lab.bench.report import Table, report_option, write
from ops.lab.bench.sides import Peer, Service, pin
from ops.lab.bench.trial import GENERATOR, Outcome, Window, trial
from ops.lab.bench.vision import asked

#: The sides, by their names in the tables. PEER is the quickest way to write such a server, SEARCHING OpenBiometrics' way.
SERVICE, PEER, SEARCHING = "service", "one process", "one process that searches"
#: The one-process server that answers each request in a thread of its own.
THREADED = "one process with threads"
#: Other ways to write the peer: the options of peer/server.py, and the numbers of clients that each is measured with.
_VARIANTS = {SEARCHING: (["--search"], (1, 16)), THREADED: (["--threads"], (16,))}
#: The numbers of clients of the closed loads; the last one is full load.
CLIENTS = (1, 8, 16)
#: The name of the open load in all tables.
HALF = "half load"


@dataclass(frozen=True, slots=True)
class Plan:
    """The loads of a run, and how long each is."""

    full: Window
    #: None: no half load.
    half: Window | None
    clients: Sequence[int] = CLIENTS
    variants: bool = True
    vision_frames: int = 160


PLAN = Plan(full=Window(2.5, 10.0), half=Window(2.5, 20.0))
QUICK = Plan(full=Window(1.0, 2.5), half=Window(1.0, 4.0), variants=False, vision_frames=40)


@dataclass(frozen=True, slots=True)
class Found:
    """The results of one side: outcomes by load, and megabytes by kind of process after all loads."""

    loads: dict[str, Outcome] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)

    @property
    def best(self) -> float:
        """Frames a second under the load that gave the most."""
        return max(outcome.summary.rate for outcome in self.loads.values())

    def told(self) -> dict[str, Any]:
        """For the JSON."""
        return {"loads": {name: one.told() for name, one in self.loads.items()}, "memory_mb": self.memory}


@click.command("end_to_end")
@click.option("--workers", type=click.IntRange(1), help="Worker processes of the service; one a core by default.")
@click.option("--peer/--no-peer", default=True, show_default=True, help="The one-process server (1 GB in var/peer).")
@load_options
@report_option
def end_to_end(*, workers: int | None, peer: bool, source: Path | None, cores: int, quick: bool, report: Path) -> None:
    """The whole service beside the one-process server that people write instead, under the same load on the same cores.

    All sides run from the beginning to the end, and take turns with each load, so that they see the same machine. Each
    client has a session and sends frames of 640 × 480. At 1, 8 and 16 clients each sends the next as soon as the one before
    is answered; at half load frames come at half of what was answered at most, evenly, whether answers come or not, and a
    frame's latency counts from when it was due.
    """
    console, plan, cores = Console(), QUICK if quick else PLAN, pin(cores)
    bodies = bodies_of(source)
    vision = vision_cpu(source, plan.vision_frames)
    sides: dict[str, tuple[Service | Peer, Sequence[int]]] = {
        SERVICE: (Service(workers=workers or cores), plan.clients)
    }
    if peer:
        sides[PEER] = (Peer(), plan.clients)
    if peer and plan.variants:
        sides |= {name: (Peer(*options), clients) for name, (options, clients) in _VARIANTS.items()}
    found = measured(sides, bodies, plan, console)
    tables = [loads_table(found), cpu_table(found, vision), memory_table(found), targets_table(found)]
    plots = {
        "frames": charts.grouped("Frames answered", "frames a second", rates(found)),
        "cpu": charts.stacked("CPU at full load", "milliseconds a frame", cpu_by_side(found)),
    }
    figures = {"cores": cores, "vision_cpu_ms": vision, "sides": {name: one.told() for name, one in found.items()}}
    write(console, report, "end_to_end", tables=tables, plots=plots, figures=figures)


def measured(
    sides: Mapping[str, tuple[Service | Peer, Sequence[int]]], bodies: Sequence[bytes], plan: Plan, console: Console
) -> dict[str, Found]:
    """Every load on every side, the sides taking turns; of each side, the numbers of clients that it is measured with.

    Only sides that have all of the plan's numbers of clients have the half load.
    """
    found = {name: Found() for name in sides}
    with ExitStack() as running:
        for side, _ in sides.values():
            running.enter_context(side)
        for clients in plan.clients:
            for name, (side, numbers) in sides.items():
                if clients in numbers:
                    console.print(f"  {name}: {load_name(clients)}", highlight=False)
                    found[name].loads[load_name(clients)] = trial(side, bodies, clients, plan.full)
        for name, (side, numbers) in sides.items():
            if plan.half and numbers == plan.clients:
                console.print(f"  {name}: {HALF}", highlight=False)
                found[name].loads[HALF] = trial(side, bodies, plan.clients[-1], plan.half, found[name].best / 2)
            found[name].memory.update(usage.memory(side.kinds))
    return found


def vision_cpu(source: Path | None, count: int) -> float:
    """Mean milliseconds of CPU of a tracked frame's vision alone, on the same frames: the measure of everything else."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "tracked").mkdir()
        for i, jpeg in enumerate(frames.moving(count, source)):
            (Path(folder) / "tracked" / f"{i:05}.jpg").write_bytes(jpeg)
        told = asked([sys.executable, "-m", "ops.lab.bench.ours", folder, "mesh"])
    return statistics.fmean(cpu for _, cpu, _ in told["tracked"]["times"])


def load_name(clients: int) -> str:
    """The name of a closed load in the tables."""
    return f"{clients} client{'s' if clients > 1 else ''}"


def loads_table(found: Mapping[str, Found]) -> Table:
    """The table of frames and latency, by side and load."""
    rows = []
    for name, side in found.items():
        for load, outcome in side.loads.items():
            s = outcome.summary
            of = [outcome.offered, s.rate, s.p50, s.p99, s.longest, s.frames - s.answered, s.late]
            rows.append([f"{name}: {load}", *of])
    columns = [
        "",
        "due a second",
        "answered a second",
        "p50 ms",
        "p99 ms",
        "longest ms",
        "errors",
        "sent late by, p99 ms",
    ]
    return Table("Frames and latency", columns, rows)


def cpu_table(found: Mapping[str, Found], vision: float) -> Table:
    """Milliseconds of CPU a frame, by kind of process."""
    kinds = list(dict.fromkeys(kind for side in found.values() for one in side.loads.values() for kind in one.cpu))
    kinds = [kind for kind in kinds if kind != GENERATOR]
    rows = []
    for name, side in found.items():
        for load, one in side.loads.items():
            times = f"{one.cpu_of_side / vision:.2f} ×" if name == SERVICE else None
            of = [*(one.cpu.get(kind) for kind in kinds), one.cpu_of_side, times, one.cpu.get(GENERATOR)]
            rows.append([f"{name}: {load}", *of])
    columns = ["CPU a frame, ms", *kinds, "all", "of its vision", "beside: the load"]
    return Table("CPU", columns, rows)


def memory_table(found: Mapping[str, Found]) -> Table:
    """Megabytes after all loads."""
    kinds = list(dict.fromkeys(kind for side in found.values() for kind in side.memory))
    rows = [
        [name, *(side.memory.get(kind) for kind in kinds), sum(side.memory.values())] for name, side in found.items()
    ]
    return Table("Memory, MB (PSS)", ["", *kinds, "all"], rows)


def targets_table(found: Mapping[str, Found]) -> Table:
    """The table of targets, with what was found and whether they are met."""
    service, rows = found[SERVICE], []
    for clients in CLIENTS[1:]:
        load = load_name(clients)
        for name, rate in ((PEER, 1.0), (THREADED, 0.65)):
            if name in found and load in found[name].loads:
                times = of(service, load, "rate") / of(found[name], load, "rate")
                rows.append(target(f"frames a second, {load}, of {name}", times, "at least", rate))
        if PEER in found:
            spent = service.loads[load].cpu_of_side / found[PEER].loads[load].cpu_of_side
            rows.append(target(f"CPU a frame, {load}, of {PEER}", spent, "at most", 1.5))
    if PEER in found:
        slower = of(service, load_name(1), "p50") / of(found[PEER], load_name(1), "p50")
        rows.append(target(f"p50, {load_name(1)}, of {PEER}", slower, "at most", 2))
    half, memory = service.loads[HALF].summary, sum(service.memory.values())
    rows.append(target("p99 at half load, of its p50", (half.p99 or 0) / (half.p50 or 1), "at most", 3))
    rows.append(target("memory", memory, "at most", 677, "MB"))
    return Table("Targets", ["", "found", "target", "met"], rows)


def target(what: str, value: float, side: str, bound: float, unit: str = "×") -> list[str]:
    """A row of the table of targets."""
    met = value >= bound if side == "at least" else value <= bound
    return [what, f"{value:.3g} {unit}", f"{side} {bound:g} {unit}", "yes" if met else "no"]


def of(side: Found, load: str, name: str) -> float:
    """A figure of one load, which must be there."""
    value = getattr(side.loads[load].summary, name)
    if value is None:
        raise click.ClickException(f"no frame was answered at {load}")
    return float(value)


def rates(found: Mapping[str, Found]) -> dict[str, dict[str, float]]:
    """For the plot: frames a second by load and side."""
    loads = [load for load in next(iter(found.values())).loads if load != HALF]
    return {load: {n: s.loads[load].summary.rate for n, s in found.items() if load in s.loads} for load in loads}


def cpu_by_side(found: Mapping[str, Found]) -> dict[str, dict[str, float]]:
    """For the plot: milliseconds of CPU a frame at full load."""
    full = [load for load in next(iter(found.values())).loads if load != HALF][-1]
    return {name: side.loads[full].cpu for name, side in found.items()}
