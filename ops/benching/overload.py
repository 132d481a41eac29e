"""Part 4, overload: what is answered when more comes than can be borne, and what one client can do to the others."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from ops.benching import charts, frames
from ops.benching.neighbours import ATTACKS, Others, with_neighbour
from ops.benching.options import bodies_of, load_options
from ops.benching.report import Table, report_option, write
from ops.benching.sides import Service, pin
from ops.benching.trial import Outcome, Window, trial
from ops.breaking.processes import Missing
from shared.settings import Settings

#: How many times what it can bear.
TIMES = (1, 2, 3)
#: Of what was answered at most, the least that is to be answered at the last of TIMES.
KEPT = 0.9


@dataclass(frozen=True, slots=True)
class Plan:
    """How long each load is, and how many clients find out what can be borne."""

    window: Window
    clients: int = 16


@click.command()
@click.option("--workers", type=click.IntRange(1), help="Worker processes of the service; one a core by default.")
@load_options
@report_option
def overload(*, workers: int | None, source: Path | None, cores: int, quick: bool, report: Path) -> None:
    """What is answered, and how soon, at 1, 2 and 3 times what the service can bear; and what one client does to others.

    What it can bear is what 16 clients get that each wait for their answers. More comes as more sessions with 8 frames a
    second each, which wait for nothing. Then four sessions with 8 frames a second have neighbours: one that sends as fast
    as it can, one that sends huge pictures, many uploads that never end, directly and behind nginx.
    """
    console, cores = Console(), pin(cores)
    plan = Plan(Window(1.0, 2.5) if quick else Window(4.0, 10.0))
    bodies = bodies_of(source)
    loads: dict[str, Outcome] = {}
    with Service(workers=workers or cores) as service:
        console.print("  what it can bear", highlight=False)
        borne = trial(service, bodies, plan.clients, plan.window)
        for times in TIMES:
            console.print(f"  {times} × that", highlight=False)
            rate = times * borne.summary.rate
            loads[f"{times} ×"] = trial(service, bodies, math.ceil(rate / frames.RATE), plan.window, rate)
    others = beside_neighbours(workers or cores, bodies, plan, console, quick=quick)
    tables = [loads_table(borne, loads), codes_table(loads), targets_table(borne, loads), others_table(others)]
    plots = {
        "answered": charts.grouped("Answered and refused, by load", "frames a second", by_fate(loads)),
        "latency": charts.grouped("Latency of answered frames, by load", "milliseconds", by_latency(loads)),
    }
    figures: dict[str, Any] = {"cores": cores, "borne": borne.told()}
    figures["loads"] = {name: one.told() for name, one in loads.items()}
    figures["others"] = {name: one.told() for name, one in others.items()}
    write(console, report, "overload", tables=tables, plots=plots, figures=figures)


def beside_neighbours(
    workers: int, bodies: Sequence[bytes], plan: Plan, console: Console, *, quick: bool
) -> dict[str, Others]:
    """What becomes of four ordinary sessions, alone and beside each kind of neighbour; limits are on, as by default."""
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


def loads_table(borne: Outcome, loads: Mapping[str, Outcome]) -> Table:
    """What was answered of what came."""
    rows = []
    for name, one in {"can be borne": borne, **loads}.items():
        s = one.summary
        of = [one.offered, s.rate, s.p50, s.p99, s.longest, f"{100 * s.refused:.0f} %", one.cpu_of_side, s.late]
        rows.append([name, str(one.clients), *of])
    columns = [
        "", "sessions", "due a second", "answered a second", "p50 ms", "p99 ms", "longest ms", "not answered",
        "CPU an answer, ms", "sent late by, p99 ms",
    ]  # fmt: skip
    return Table("Overload", columns, rows)


def codes_table(loads: Mapping[str, Outcome]) -> Table:
    """Of all frames, the share of each code."""
    codes = sorted({code for one in loads.values() for code in one.summary.codes})
    rows = []
    for name, one in loads.items():
        s = one.summary
        rows.append(
            [name, f"{100 * (1 - s.refused):.1f} %", *(share(s.codes.get(code, 0), s.frames) for code in codes)]
        )
    return Table("By code", ["", "answered", *codes], rows)


def targets_table(borne: Outcome, loads: Mapping[str, Outcome]) -> Table:
    """The target, and what became of it."""
    last = list(loads.values())[-1].summary
    best = max(one.summary.rate for one in (borne, *loads.values()))
    kept = last.rate / best
    longest, deadline = last.longest or 0.0, 1e3 * Settings.model_fields["frame_deadline"].default
    rows = [
        [f"answered at {TIMES[-1]} ×, of the most", f"{kept:.2f} ×", f"at least {KEPT:g} ×", yes(kept >= KEPT)],
        [f"longest at {TIMES[-1]} ×", f"{longest:.0f} ms", f"at most {deadline:.0f} ms", yes(longest <= deadline)],
    ]
    return Table("Targets", ["", "found", "target", "met"], rows)


def others_table(others: Mapping[str, Others]) -> Table:
    """How the ordinary sessions fare."""
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
