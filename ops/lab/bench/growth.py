"""Part 3, growth: what a frame costs with many sessions in the database, and what more workers give."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from ops.lab.bench import charts, usage
from ops.lab.bench.filling import fill
from ops.lab.bench.options import bodies_of, load_options
from ops.lab.bench.report import Table, report_option, write
from ops.lab.bench.sides import Service, pin
from ops.lab.bench.trial import Outcome, Window, trial
from ops.lab.rig.processes import Missing
from ops.lab.rig.stack import Backing

DATABASES = {"sqlite": Backing.EMBEDDED, "postgresql": Backing.FULL}
_NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


@dataclass(frozen=True, slots=True)
class Plan:
    """The loads of a run."""

    window: Window
    #: Frames a second at which the cost of a frame is measured; every machine can answer as many.
    rate: float = 40.0
    clients: int = 16


@dataclass(frozen=True, slots=True)
class Filled:
    """The results with a number of sessions in the database."""

    database: str
    sessions: int
    #: Seconds that the filling took.
    filling: float
    steady: Outcome
    full: Outcome


@dataclass(frozen=True, slots=True)
class Staffed:
    """The results with a number of workers."""

    workers: int
    full: Outcome
    #: Megabytes (PSS) of each worker process, and of the program that started them.
    each: Sequence[float]
    program: float


def numbers(text: str) -> list[int]:
    """Counts with commas between, ascending: each database is filled up from one to the next."""
    try:
        found = sorted({int(part.replace("_", "")) for part in text.split(",") if part.strip()})
    except ValueError:
        raise click.BadParameter(f"{text!r} is not made of whole numbers with commas between") from None
    if found and found[0] < 1:
        raise click.BadParameter("there is nothing below 1")
    return found


@click.command()
@click.option("--sessions", default="100,10_000,1_000_000", show_default=True, help="Sessions in the database.")
@click.option("--databases", default="sqlite,postgresql", show_default=True, help="Which, with commas; '' for none.")
@click.option("--workers", default="1,2,4", show_default=True, help="Numbers of workers, with commas; '' for none.")
@load_options
@report_option
def growth(
    *, sessions: str, databases: str, workers: str, source: Path | None, cores: int, quick: bool, report: Path
) -> None:
    """What a frame costs with so many sessions in the database, and what more workers give while cores last.

    The sessions are ended ones, put there by SQL, with their challenges, events and audit. Then come frames of 16 live
    sessions, first at a low, fixed rate, then as fast as they are answered.
    """
    console, cores = Console(), pin(cores)
    plan = Plan(Window(1.0, 2.5) if quick else Window(2.0, 7.0))
    sizes, staffs = numbers("100,10_000" if quick else sessions), numbers("1,2" if quick else workers)
    bodies = bodies_of(source)
    filled = []
    for database in [name for name in databases.split(",") if name] if not quick else ["sqlite"]:
        if database not in DATABASES:
            raise click.BadParameter(f"{database} is neither sqlite nor postgresql")
        try:
            filled += with_rows(database, sizes, bodies, plan, console)
        except Missing as missing:
            console.print(f"  {_NAMES[database]} left out: this machine lacks {missing}", highlight=False)
    staffed = [with_workers(count, bodies, plan, console) for count in staffs]
    tables = [rows_table(filled)] * bool(filled) + [workers_table(staffed)] * bool(staffed)
    figures = {
        "cores": cores,
        "rows": [told_rows(one) for one in filled],
        "workers": [told_workers(one) for one in staffed],
    }
    write(console, report, "growth", tables=tables, plots=plots(filled, staffed), figures=figures)


def with_rows(
    database: str, sizes: Sequence[int], bodies: Sequence[bytes], plan: Plan, console: Console
) -> list[Filled]:
    """A service over one database, which is filled further between the loads."""
    found, there = [], 0
    with Service(workers=2, kind=DATABASES[database]) as service:
        for size in sizes:
            console.print(f"  {_NAMES[database]}: {size} sessions", highlight=False)
            begun = time.monotonic()
            fill(service.environment["DATABASE_URL"], there, size)
            filling, there = time.monotonic() - begun, size
            steady = trial(service, bodies, plan.clients, plan.window, plan.rate)
            full = trial(service, bodies, plan.clients, plan.window)
            found.append(Filled(database, size, filling, steady, full))
    return found


def with_workers(count: int, bodies: Sequence[bytes], plan: Plan, console: Console) -> Staffed:
    """A service with so many worker processes, at full load."""
    console.print(f"  {count} workers", highlight=False)
    with Service(workers=count) as service:
        full = trial(service, bodies, plan.clients, plan.window)
        program, *others = service.programs_named("worker")[0].family()
        sizes = sorted((usage.pss(process) for process in others), reverse=True)
        # dramatiq's program has a process that gives signs of life and the like beside the workers: smaller than these.
        return Staffed(count, full, sizes[:count], usage.pss(program) + sum(sizes[count:]))


def rows_table(filled: Sequence[Filled]) -> Table:
    """By the number of sessions."""
    rows = []
    for one in filled:
        steady, full = one.steady, one.full
        database = steady.cpu.get("PostgreSQL")
        of = [steady.summary.p50, steady.summary.p99, steady.cpu_of_side, steady.cpu.get("worker"), database]
        rows.append([
            f"{_NAMES[one.database]}: {one.sessions:,}".replace(",", " "),
            *of,
            full.summary.rate,
            full.cpu_of_side,
            (steady.summary.frames - steady.summary.answered) + (full.summary.frames - full.summary.answered),
        ])  # fmt: skip
    columns = [
        "sessions in the database", "p50 ms", "p99 ms", "CPU a frame, ms", "of it, workers", "of it, PostgreSQL",
        "full load: frames a second", "full load: CPU a frame, ms", "errors",
    ]  # fmt: skip
    return Table("Sessions in the database", columns, rows)


def workers_table(staffed: Sequence[Staffed]) -> Table:
    """By the number of workers."""
    rows = []
    for one in staffed:
        s = one.full.summary
        mean = sum(one.each) / len(one.each)
        rows.append([
            str(one.workers), s.rate, s.p50, s.p99, one.full.cpu_of_side, mean, one.program, s.frames - s.answered,
        ])  # fmt: skip
    columns = [
        "workers", "frames a second", "p50 ms", "p99 ms", "CPU a frame, ms", "memory a worker, MB (PSS)",
        "its program's own, MB", "errors",
    ]  # fmt: skip
    return Table("Workers, at full load of 16 clients", columns, rows)


def plots(filled: Sequence[Filled], staffed: Sequence[Staffed]) -> dict[str, str]:
    """CPU by sessions, frames a second by workers; as far as they were measured."""
    made = {}
    if filled:
        databases = dict.fromkeys(one.database for one in filled)
        cpu = {
            _NAMES[d]: [(float(one.sessions), one.steady.cpu_of_side) for one in filled if one.database == d]
            for d in databases
        }
        title = "CPU of a frame, by sessions in the database"
        made["rows"] = charts.lines(title, "sessions", "milliseconds of CPU a frame", cpu, log=True)
    if staffed:
        rate = {"service": [(float(one.workers), one.full.summary.rate) for one in staffed]}
        made["workers"] = charts.lines("Frames a second, by workers", "workers", "frames a second", rate)
    return made


def told_rows(one: Filled) -> dict[str, Any]:
    """For the JSON."""
    of = {"steady": one.steady.told(), "full": one.full.told()}
    return {"database": one.database, "sessions": one.sessions, "filling_seconds": one.filling, **of}


def told_workers(one: Staffed) -> dict[str, Any]:
    """For the JSON."""
    return {"workers": one.workers, **one.full.told(), "each_mb": list(one.each), "program_mb": one.program}
