"""Part 5, a check: the CPU that the check of one person takes in all, and the memory of sessions that are under way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console

from ops.lab.bench import usage
from ops.lab.bench.machine import TOP
from ops.lab.bench.options import bodies_of
from ops.lab.bench.report import Table, report_option, write
from ops.lab.bench.sides import Service, pin
from ops.lab.rig.client import Client
from ops.lab.rig.clips import FPS, Clips
from ops.lab.rig.load import Load, Seen

#: Challenges of a check.
CHALLENGES = 3
#: Sessions under way of which the memory is measured, and requests at once.
UNDER_WAY, AT_ONCE = 100, 4
ANSWER_TIMEOUT = 20.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How long the processes are watched while idle, how long people come, and how many frames each session sends."""

    idle: float
    seconds: float
    frames: int


PLAN, QUICK = Plan(5.0, 90.0, 20), Plan(2.0, 20.0, 3)


@click.command("check")
@click.option("--clients", type=click.IntRange(1, 50), default=2, show_default=True, help="People at once.")
@click.option(
    "--cores", type=click.IntRange(1), default=2, show_default=True, help="Processors that everything shares."
)
@click.option("--quick", is_flag=True, help="Less of everything, under a minute: to see that it works.")
@report_option
def check(*, clients: int, cores: int, quick: bool, report: Path) -> None:
    """Measure what the check of one person costs: CPU, checks an hour on one core, and memory of a hundred sessions.

    The drawn performer is asked for three challenges and does them, with eight frames a second, until the session ends. What
    the processes take while idle is not counted.
    """
    console, plan = Console(), QUICK if quick else PLAN
    pin(cores)
    clips = Clips(TOP / "var" / "models")
    with Service(workers=1) as service:
        console.print("  people, one after the other", highlight=False)
        spent, seen = asyncio.run(_people(service, clips, clients, plan))
    ended = [one for one in seen if one.state in ("completed", "failed", "expired")]
    if not ended:
        raise click.ClickException("no check came to its end: the machine is too busy, or the time too short")
    bodies = bodies_of(None)
    with Service(workers=1) as service:
        console.print(f"  {UNDER_WAY} sessions at once", highlight=False)
        before = usage.memory(service.kinds)
        asyncio.run(_under_way(service.front, bodies, 1))  # what every process needs for its first sessions
        warm = usage.memory(service.kinds)
        asyncio.run(_under_way(service.front, bodies, plan.frames))
        after = usage.memory(service.kinds)
    tables = [check_table(spent, ended), memory_table(before, warm, after, plan.frames)]
    figures = {"cpu_s": spent, "checks": len(ended), "memory_mb": {"idle": before, "warm": warm, "under_way": after}}
    write(console, report, "check", tables=tables, plots={}, figures=figures)


async def _people(service: Service, clips: Clips, clients: int, plan: Plan) -> tuple[dict[str, float], list[Seen]]:
    """Seconds of CPU by kind of process, less those of an idle service, and what became of the sessions."""
    first = usage.read(service.kinds)
    await asyncio.sleep(plan.idle)
    before = usage.read(service.kinds)
    load = Load(service.front, clips, clients=clients, fps=FPS, challenges=(CHALLENGES,), timeout_seconds=15, leaving=0)
    load.start()
    await asyncio.sleep(plan.seconds)
    await asyncio.to_thread(load.finish)
    after = usage.read(service.kinds)
    idle = {kind: (spent - first.cpu[kind]) / (before.at - first.at) for kind, spent in before.cpu.items()}
    took = after.at - before.at
    spent = {kind: used - before.cpu[kind] - took * idle[kind] for kind, used in after.cpu.items()}
    return spent, list(load.notes.sessions.values())


async def _under_way(address: tuple[str, int], bodies: Sequence[bytes], frames: int) -> None:
    """Open UNDER_WAY sessions and send a number of frames to each, in turn; they stay open."""
    client, limit = Client(address, ANSWER_TIMEOUT), asyncio.Semaphore(AT_ONCE)

    async def send(session: str, number: int) -> None:
        async with limit:
            await client.frame(session, bodies[number % len(bodies)])

    opened = [await client.create(f"num_challenges={CHALLENGES}&timeout_seconds=60") for _ in range(UNDER_WAY)]
    for number in range(frames):
        began = time.monotonic()
        await asyncio.gather(*(send(one.body.session_id, number + 37 * i) for i, one in enumerate(opened)))
        await asyncio.sleep(max(0.0, 1 / FPS - (time.monotonic() - began)))
    client.close()


def check_table(spent: Mapping[str, float], ended: Sequence[Seen]) -> Table:
    """The table of one check: milliseconds of CPU by kind of process."""
    checks, frames = len(ended), sum(one.frames for one in ended)
    every = sum(spent.values())
    live = sum(one.is_live is True for one in ended)
    rows: list[list[object]] = [
        [kind, 1e3 * used / checks, 1e3 * used / max(frames, 1)] for kind, used in spent.items()
    ]
    rows += [
        ["all", 1e3 * every / checks, 1e3 * every / max(frames, 1)],
        ["checks an hour on one core", 3600 * checks / every, None],
        ["frames", frames / checks, None],
        ["checks measured (live)", f"{checks} ({live})", None],
    ]
    return Table(f"A check of {CHALLENGES} challenges", ["CPU, ms", "a check", "a frame"], rows)


def memory_table(
    before: Mapping[str, float], warm: Mapping[str, float], after: Mapping[str, float], frames: int
) -> Table:
    """The table of memory: idle, and what a hundred sessions add."""
    rows = [[kind, before[kind], warm[kind], after[kind], after[kind] - warm[kind]] for kind in before]
    sums = [sum(found.values()) for found in (before, warm, after)]
    rows.append(["all", *sums, sums[2] - sums[1]])
    columns = ["MB (PSS)", "idle", f"after {UNDER_WAY} × 1 frame", f"{UNDER_WAY} more × {frames}", "of these"]
    return Table(f"Memory of {UNDER_WAY} sessions under way", columns, rows)
