"""Inflicts faults one after the other, and checks what came of them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from ops.lab.chaos import checks
from ops.lab.chaos.checks import Holding
from ops.lab.chaos.faults import Fault
from ops.lab.rig.load import Frames, Load
from ops.lab.rig.processes import Missing
from ops.lab.rig.stack import Backing, Stack
from shared.redis.client import make_redis

#: Seconds of load before a fault and after it.
BEFORE, AFTER = 4.0, 5.0
#: Megabytes of the database's small disk.
_DISK = {Backing.EMBEDDED: 24, Backing.FULL: 220}
#: Connections by which a fault may raise their number: pools fill in a rush and keep their connections.
_POOLS = 90


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one fault."""

    kind: Backing
    fault: Fault
    wrong: tuple[str, ...]
    skipped: str = ""
    requests: int = 0
    outcomes: Counter[str] | None = None
    slowest: float = 0.0
    verdicts: Counter[str] | None = None

    @property
    def passed(self) -> bool:
        """Whether nothing was violated."""
        return not self.wrong


def run(
    kinds: Sequence[Backing],
    faults: Sequence[Fault],
    frames: Frames,
    *,
    clients: int,
    fps: float,
    keep: Path | None = None,
) -> Iterator[Result]:
    """Inflict each fault on each kind of stack that it applies to. keep: a directory for the logs of failed runs."""
    for kind in kinds:
        fitting = [fault for fault in faults if kind in fault.kinds]
        for (disk, clock), group in groupby(fitting, key=lambda f: (f.disk, f.clock)):
            some = list(group)
            try:
                with Stack(kind, disk_megabytes=_DISK[kind] if disk else None, wrong_clock=clock) as stack:
                    warm_up(stack, frames, clients=clients, fps=fps)
                    for fault in some:
                        result = inflict(stack, fault, frames, clients=clients, fps=fps)
                        if keep and not result.passed:
                            stack.keep_logs(keep / f"{kind}-{fault.name}")
                        yield result
            except (Missing, PermissionError) as error:
                yield from (Result(kind, fault, (), skipped=str(error)) for fault in some)


def warm_up(stack: Stack, frames: Frames, *, clients: int, fps: float) -> None:
    """Put a new stack under load for a moment: its memory is compared with what it needs once it has worked."""
    load = Load(stack.front, frames, clients=clients, fps=fps)
    load.start()
    time.sleep(BEFORE)
    load.finish()


def inflict(stack: Stack, fault: Fault, frames: Frames, *, clients: int, fps: float) -> Result:
    """Inflict a fault on a stack under load, then check everything."""
    if fault.of_server and not (stack.clock and stack.clock.of_servers):
        return Result(stack.kind, fault, (), skipped="needs a C compiler (cc) for the servers' wrong clock")
    before = Holding.of(stack)
    load = Load(stack.front, frames, clients=clients, fps=fps)
    load.start()
    time.sleep(BEFORE)
    wrong: list[str] = []
    try:
        fault.do(stack)
    except RuntimeError as error:
        wrong.append(str(error))
    time.sleep(AFTER)
    load.finish()
    notes = load.notes
    stack.wait_until_ready(30)
    wrong += checks.answered(notes.requests, stack.deadline, fault.tolerance)
    wrong += checks.sessions_kept(stack, notes)
    wrong += checks.events_kept(stack.engine, notes)
    with make_redis(stack.redis.url) as client:
        wrong += checks.keys_left(client, lingering=fault.lingers)
    wrong += checks.holding_kept(stack, before, connections=_POOLS)
    return Result(
        stack.kind,
        fault,
        tuple(wrong),
        requests=len(notes.requests),
        outcomes=checks.outcomes(notes.requests),
        slowest=max((r.took for r in notes.requests), default=0.0),
        verdicts=checks.verdicts(stack.engine, notes),
    )
