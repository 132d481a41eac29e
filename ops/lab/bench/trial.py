"""One load on one side: so many clients for so many seconds, and what that took."""

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

#: What the load itself is called among the kinds of processes.
GENERATOR = "load generator"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a load found."""

    clients: int
    #: Frames a second that were due; None where each client waited for its answers.
    offered: float | None
    summary: Summary
    #: Milliseconds of CPU for each frame that was answered, by kind of process; the load generator's beside them.
    cpu: dict[str, float]
    #: How many sessions were opened meanwhile.
    opened: int

    @property
    def cpu_of_side(self) -> float:
        """Milliseconds of CPU a frame, all of its processes."""
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
    """What of a load counts: not its first seconds, nor what is answered after its end."""

    settling: float
    seconds: float


def trial(side: Side, bodies: Sequence[bytes], clients: int, window: Window, rate: float | None = None) -> Outcome:
    """Put `side` under load. rate: frames a second of all clients together, else as fast as answers come."""
    return asyncio.run(under_load(side, bodies, clients, window, rate))


async def under_load(
    side: Side, bodies: Sequence[bytes], clients: int, window: Window, rate: float | None = None
) -> Outcome:
    """See `trial`."""
    senders = [Sender(side.front, bodies, number) for number in range(clients)]
    until = time.monotonic() + window.settling + window.seconds
    load = asyncio.create_task(closed(senders, until) if rate is None else open_loop(senders, rate, until))
    await asyncio.sleep(window.settling)
    # In a thread: a look at all processes takes milliseconds, for which the load must not stand still.
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
