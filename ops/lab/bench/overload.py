"""Part 4, overload: answers and latency beyond capacity, and what one client can do to the others."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from ops.lab.bench import charts, frames
from ops.lab.bench.neighbours import ATTACKS, Others, with_neighbour
from ops.lab.bench.options import bodies_of, load_options
from ops.lab.bench.report import Table, report_option, write
from ops.lab.bench.sides import Arrangement, Service, arrangements, pin
from ops.lab.bench.trial import Outcome, Window, trial
from ops.lab.rig.processes import Missing
from shared.settings import Settings

#: The name of the load that finds the service's capacity.
BORNE = "can be borne"
#: Loads as multiples of the capacity.
TIMES = (1, 2, 3)
#: The largest load, sent by as many sessions as the smallest one.
FASTER = f"{TIMES[-1]} ×, the same sessions"
#: The target: the share of the highest rate that must still be answered under the largest load.
KEPT = 0.95


#: Outcomes by arrangement and load.
Loads = Mapping[str, Mapping[str, Outcome]]


@dataclass(frozen=True, slots=True)
class Plan:
    """The length of each load, and the number of clients that find the capacity."""

    window: Window
    clients: int = 16


@click.command()
@click.option("--workers", type=click.IntRange(1), help="Worker processes of the service; one a core by default.")
@click.option(
    "--neighbours/--no-neighbours", default=True, show_default=True, help="Whether one client is tried on others."
)
@load_options
@report_option
def overload(
    *, workers: int | None, neighbours: bool, source: Path | None, cores: int, quick: bool, report: Path
) -> None:
    """Measure answers and latency at 1, 2 and 3 times the service's capacity, and what one client does to others.

    The capacity is the rate that 16 clients reach that wait for their answers. Higher loads are more sessions of 8 frames a
    second each, which wait for nothing. First the load has a core of its own and the service the others (apart), so that
    losses are the service's own; then both share all cores (shared). Each session costs comparisons of faces and samples
    of evidence, however few of its frames are judged; so the largest load comes once more from as many sessions as the
    smallest one, each three times as fast. Then four sessions of 8 frames a second have neighbours: one that sends as fast
    as it can, one that sends huge pictures, and many uploads that never end, directly and behind nginx.
    """
    console, cores = Console(), pin(cores)
    plan = Plan(Window(1.0, 2.5) if quick else Window(4.0, 10.0))
    bodies = bodies_of(source)
    found = {}
    for arrangement in arrangements():
        service = Service(workers=workers or len(arrangement.service))
        with arrangement.started(service):
            found[arrangement.name] = under_loads(arrangement, service, bodies, plan, console)
    tables = [loads_table(found), cores_table(found), codes_table(found), targets_table(found)]
    others: dict[str, Others] = {}
    if neighbours:
        others = beside_neighbours(workers or cores, bodies, plan, console, quick=quick)
        tables.append(others_table(others))
    by_name = {f"{name}: {load}": one for name, loads in found.items() for load, one in loads.items()}
    plots = {
        "answered": charts.grouped("Answered and refused, by load", "frames a second", by_fate(by_name)),
        "latency": charts.grouped("Latency of answered frames, by load", "milliseconds", by_latency(by_name)),
    }
    figures: dict[str, Any] = {"cores": cores}
    figures["loads"] = {name: one.told() for name, one in by_name.items()}
    figures["others"] = {name: one.told() for name, one in others.items()}
    write(console, report, "overload", tables=tables, plots=plots, figures=figures)


def under_loads(
    arrangement: Arrangement, service: Service, bodies: Sequence[bytes], plan: Plan, console: Console
) -> dict[str, Outcome]:
    """Find the capacity of a service, and put it under multiples of that."""
    console.print(f"  {arrangement.name}: what it can bear", highlight=False)
    loads = {BORNE: trial(service, bodies, plan.clients, plan.window)}
    borne = loads[BORNE].summary.rate
    sessions = {f"{times} ×": (times, math.ceil(times * borne / frames.RATE)) for times in TIMES}
    sessions[FASTER] = (TIMES[-1], math.ceil(borne / frames.RATE))
    for name, (times, clients) in sessions.items():
        console.print(f"  {arrangement.name}: {name}", highlight=False)
        loads[name] = trial(service, bodies, clients, plan.window, times * borne)
    return loads


def beside_neighbours(
    workers: int, bodies: Sequence[bytes], plan: Plan, console: Console, *, quick: bool
) -> dict[str, Others]:
    """Measure four ordinary sessions, alone and beside each neighbour; limits are on, as by default."""
    found: dict[str, Others] = {}
    for balanced in (False, True):
        try:
            service = Service(workers=workers, settings={"LIMIT_FRAMES": "20/second"}, balanced=balanced)
        except Missing as missing:
            console.print(f"  left out, behind nginx: this machine lacks {missing}", highlight=False)
            break
        with service:
            for attack in ATTACKS:
                if balanced and not attack.balanced:
                    continue
                name = f"{attack.name}{', behind nginx' if balanced else ''}"
                console.print(f"  others beside: {name}", highlight=False)
                found[name] = with_neighbour(service, attack, bodies, plan.window)
        if quick:
            break
    return found


def loads_table(found: Loads) -> Table:
    """The table of answers and latency by load."""
    rows = []
    for name, loads in found.items():
        for load, one in loads.items():
            s = one.summary
            of = [one.offered, s.rate, s.p50, s.p99, s.longest, f"{100 * s.refused:.0f} %", one.cpu_of_side, s.late]
            rows.append([f"{name}: {load}", str(one.clients), *of])
    columns = [
        "", "sessions", "due a second", "answered a second", "p50 ms", "p99 ms", "longest ms", "not answered",
        "CPU an answer, ms", "sent late by, p99 ms",
    ]  # fmt: skip
    return Table("Overload", columns, rows)


def cores_table(found: Loads) -> Table:
    """The table of the share of a core that each kind of process used."""
    kinds = list(dict.fromkeys(kind for loads in found.values() for one in loads.values() for kind in one.cpu))
    rows = []
    for name, loads in found.items():
        for load, one in loads.items():
            had = [f"{one.cpu.get(kind, 0.0) * one.summary.rate / 10:.0f} %" for kind in kinds]
            rows.append([f"{name}: {load}", *had])
    return Table("Of a core", ["", *kinds], rows)


def codes_table(found: Loads) -> Table:
    """The table of the share of frames by code."""
    every = {f"{name}: {load}": one.summary for name, loads in found.items() for load, one in loads.items()}
    codes = sorted({code for s in every.values() for code in s.codes})
    rows = []
    for name, s in every.items():
        shares = [share(s.codes.get(code, 0), s.frames) for code in codes]
        rows.append([name, f"{100 * (1 - s.refused):.1f} %", *shares])
    return Table("By code", ["", "answered", *codes], rows)


def targets_table(found: Loads) -> Table:
    """The table of targets, with what was found and whether they are met."""
    deadline = 1e3 * Settings.model_fields["frame_deadline"].default
    rows = []
    for name, loads in found.items():
        most = max(one.summary.rate for one in loads.values())
        for load in (f"{TIMES[-1]} ×", FASTER):
            kept, longest = loads[load].summary.rate / most, loads[load].summary.longest or 0.0
            what = f"{name}, {load}"
            rows += [
                [f"{what}: answered, of the most", f"{kept:.2f} ×", f"at least {KEPT:g} ×", yes(kept >= KEPT)],
                [f"{what}: longest", f"{longest:.0f} ms", f"at most {deadline:.0f} ms", yes(longest <= deadline)],
            ]
    return Table("Targets", ["", "found", "target", "met"], rows)


def others_table(others: Mapping[str, Others]) -> Table:
    """The table of the ordinary sessions beside each neighbour."""
    rows = []
    for name, one in others.items():
        s = one.ordinary
        codes = ", ".join(f"{code} {n}" for code, n in sorted(one.neighbour.items())) or None
        rows.append([name, share(s.answered, s.frames), s.p50, s.p99, s.longest, codes])
    columns = ["four sessions beside …", "answered", "p50 ms", "p99 ms", "longest ms", "the neighbour got"]
    return Table("Neighbours", columns, rows)


def yes(met: bool) -> str:
    """Whether a target is met."""
    return "yes" if met else "no"


def share(part: int, whole: int) -> str | None:
    """In percent."""
    return f"{100 * part / whole:.1f} %" if whole else None


def by_fate(loads: Mapping[str, Outcome]) -> dict[str, dict[str, float]]:
    """For the plot: frames a second answered and not."""
    return {
        name: {"answered": one.summary.rate, "refused": one.summary.frames / one.summary.seconds - one.summary.rate}
        for name, one in loads.items()
    }


def by_latency(loads: Mapping[str, Outcome]) -> dict[str, dict[str, float]]:
    """For the plot: milliseconds of answered frames."""
    return {name: {"p50": one.summary.p50 or 0.0, "p99": one.summary.p99 or 0.0} for name, one in loads.items()}
