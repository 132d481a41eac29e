"""Part 2, end to end: the whole service and the one-process server, on the same cores, under the same load."""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
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
#: Other ways to write the peer: the options of peer/server.py, and the numbers of clients that each is measured with.
_VARIANTS = {SEARCHING: (["--search"], (1, 16)), "one process with threads": (["--threads"], (16,))}
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

    Each client has a session and sends frames of 640 × 480. At 1, 8 and 16 clients each sends the next as soon as the one
    before is answered; at half load frames come at half of what was answered at most, evenly, whether answers come or
    not, and a frame's latency counts from when it was due.
    """
    console, plan, cores = Console(), QUICK if quick else PLAN, pin(cores)
    bodies = bodies_of(source)
    vision = vision_cpu(source, plan.vision_frames)
    found = {SERVICE: measured(SERVICE, Service(workers=workers or cores), bodies, plan, console)}
    if peer:
        found[PEER] = measured(PEER, Peer(), bodies, plan, console)
    if peer and plan.variants:
        for name, (options, clients) in _VARIANTS.items():
            found[name] = measured(name, Peer(*options), bodies, replace(plan, clients=clients, half=None), console)
    tables = [loads_table(found), cpu_table(found, vision), memory_table(found), targets_table(found, vision)]
    plots = {
        "frames": charts.grouped("Frames answered", "frames a second", rates(found)),
        "cpu": charts.stacked("CPU at full load", "milliseconds a frame", cpu_by_side(found)),
    }
    sides = {name: one.told() for name, one in found.items()}
    figures = {"cores": cores, "vision_cpu_ms": vision, "sides": sides}
    write(console, report, "end_to_end", tables=tables, plots=plots, figures=figures)


def measured(name: str, side: Service | Peer, bodies: Sequence[bytes], plan: Plan, console: Console) -> Found:
    """Every load on one side, from its start to its end."""
    found = Found()
    with side:
        for clients in plan.clients:
            console.print(f"  {name}: {load_name(clients)}", highlight=False)
            found.loads[load_name(clients)] = trial(side, bodies, clients, plan.full)
        if plan.half:
            console.print(f"  {name}: {HALF}", highlight=False)
            found.loads[HALF] = trial(side, bodies, plan.clients[-1], plan.half, found.best / 2)
        found.memory.update(usage.memory(side.kinds))
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


def targets_table(found: Mapping[str, Found], vision: float) -> Table:
    """The table of targets, with what was found and whether they are met."""
    service = found[SERVICE]
    one, full = load_name(1), [load for load in service.loads if load != HALF][-1]
    rows = []
    for name in (PEER, SEARCHING):
        if name in found:
            times = of(service, one, "p50") / of(found[name], one, "p50")
            rows += [
                target(f"frames a second, most of each: beside {name}", service.best / found[name].best, "at least", 5),
                target(f"latency of one client, p50: beside {name}", times, "at most", 0.5),
            ]
    half = service.loads[HALF].summary
    rows += [
        target("CPU a frame at full load, of its vision's", service.loads[full].cpu_of_side / vision, "at most", 2),
        target("p99 at half load, of its p50", (half.p99 or 0) / (half.p50 or 1), "at most", 3),
    ]
    return Table("Targets", ["", "found", "target", "met"], rows)


def target(what: str, value: float, side: str, bound: float) -> list[str]:
    """A row of the table of targets."""
    met = value >= bound if side == "at least" else value <= bound
    return [what, f"{value:.2f} ×", f"{side} {bound:g} ×", "yes" if met else "no"]


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
