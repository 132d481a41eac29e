"""One load on one side: a number of clients for a number of seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ops.lab.bench import usage
from ops.lab.bench.load import Sender, closed, open_loop
from ops.lab.bench.samples import Summary, summary
from ops.lab.bench.sides import Side

#: The name of the load itself among the kinds of processes.
GENERATOR = "load generator"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a load."""

    clients: int
    #: Frames a second that were due; None for a closed load.
    offered: float | None
    summary: Summary
    #: Milliseconds of CPU for each answered frame, by kind of process, the load generator's included.
    cpu: dict[str, float]
    #: The number of sessions that were opened.
    opened: int

    @property
    def cpu_of_side(self) -> float:
        """Milliseconds of CPU a frame of all processes of the side."""
        return sum(spent for kind, spent in self.cpu.items() if kind != GENERATOR)

    def told(self) -> dict[str, Any]:
        """For the JSON."""
        return {
            "clients": self.clients,
            "offered": self.offered,
            **self.summary.told(),
            "cpu_ms": self.cpu,
            "opened": self.opened,
        }


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a load that counts: `seconds`, after the first `settling` seconds."""

    settling: float
    seconds: float


def trial(side: Side, bodies: Sequence[bytes], clients: int, window: Window, rate: float | None = None) -> Outcome:
    """Put a side under load. rate: frames a second of all clients together; None: as fast as answers come."""
    return asyncio.run(under_load(side, bodies, clients, window, rate))


async def under_load(
    side: Side, bodies: Sequence[bytes], clients: int, window: Window, rate: float | None = None
) -> Outcome:
    """See `trial`."""
    senders = [Sender(side.front, bodies, number) for number in range(clients)]
    until = time.monotonic() + window.settling + window.seconds
    load = asyncio.create_task(closed(senders, until) if rate is None else open_loop(senders, rate, until))
    await asyncio.sleep(window.settling)
    # In a thread: reading all processes takes milliseconds, and the load must not pause.
    before, own_before = await asyncio.to_thread(usage.read, side.kinds), time.process_time()
    await asyncio.sleep(until - time.monotonic())
    after, own_after = await asyncio.to_thread(usage.read, side.kinds), time.process_time()
    await load
    await asyncio.gather(*(sender.leave() for sender in senders))
    found = summary([s for sender in senders for s in sender.samples], before.at, after.at)
    cpu = usage.between(before, after, found.answered)
    if found.answered:
        cpu[GENERATOR] = 1e3 * (own_after - own_before) / found.answered
    return Outcome(clients, rate, found, cpu, sum(sender.opened for sender in senders))
