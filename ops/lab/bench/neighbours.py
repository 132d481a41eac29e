"""Clients that take more than their share, and their effect on four ordinary sessions."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

from ops.lab.bench import frames
from ops.lab.bench.load import Sender, closed, open_loop
from ops.lab.bench.samples import Summary, summary
from ops.lab.bench.sides import Side
from ops.lab.bench.trial import Window
from ops.lab.rig.client import SESSIONS
from ops.lab.rig.wire import MULTIPART, form, request

#: Ordinary sessions, and frames a second of all of them together.
ORDINARY = 4
RATE = ORDINARY * frames.RATE
#: Connections of the greedy session, and uploads that never end.
GREEDY, SLOW = 16, 100
#: Seconds between two bytes of a slow upload.
TRICKLE = 0.5

#: Runs a neighbour until a moment of the monotonic clock; returns the number of its requests by code.
_Attack = Callable[[Side, Sequence[bytes], float], Awaitable[Counter[str]]]


@dataclass(frozen=True, slots=True)
class Attack:
    """A kind of neighbour."""

    name: str
    run: _Attack
    #: Whether the effect depends on a balancer, so that the neighbour is tried behind nginx, too.
    balanced: bool = False
    #: Called before anything is measured, for preparations that take time.
    prepare: Callable[[], object] = lambda: None


@dataclass(frozen=True, slots=True)
class Others:
    """The results of the ordinary sessions, and the number of the neighbour's requests by code."""

    ordinary: Summary
    neighbour: dict[str, int]

    def told(self) -> dict[str, Any]:
        """For the JSON."""
        return {"ordinary": self.ordinary.told(), "neighbour": self.neighbour}


def with_neighbour(side: Side, attack: Attack, bodies: Sequence[bytes], window: Window) -> Others:
    """Measure the ordinary sessions beside one neighbour."""
    attack.prepare()
    return asyncio.run(_with_neighbour(side, attack, bodies, window))


async def _with_neighbour(side: Side, attack: Attack, bodies: Sequence[bytes], window: Window) -> Others:
    senders = [Sender(side.front, bodies, number) for number in range(ORDINARY)]
    since = time.monotonic() + window.settling
    until = since + window.seconds
    _, neighbour = await asyncio.gather(open_loop(senders, RATE, until), attack.run(side, bodies, until))
    await asyncio.gather(*(sender.leave() for sender in senders))
    # Frames that were due in the window, not those answered in it: starved sessions have no answers to count.
    samples = [s for sender in senders for s in sender.samples if since <= s.due < until]
    ordinary = summary(samples, since, max(s.done for s in samples) + 1e-6)
    return Others(ordinary, dict(neighbour))


async def nobody(side: Side, bodies: Sequence[bytes], until: float) -> Counter[str]:  # noqa: ARG001
    """No neighbour, for comparison."""
    return Counter()


async def greedy(side: Side, bodies: Sequence[bytes], until: float) -> Counter[str]:
    """One session over many connections, as fast as answers come."""
    sender = Sender(side.front, bodies)
    await asyncio.gather(*(closed([sender], until) for _ in range(GREEDY)))
    await sender.leave()
    return codes(sender)


async def huge(side: Side, bodies: Sequence[bytes], until: float) -> Counter[str]:  # noqa: ARG001
    """Two sessions that send 12 megapixels, 8 frames a second each."""
    senders = [Sender(side.front, large_bodies(), number) for number in range(2)]
    await open_loop(senders, len(senders) * frames.RATE, until)
    await asyncio.gather(*(sender.leave() for sender in senders))
    return sum((codes(sender) for sender in senders), Counter())


@cache
def large_bodies() -> list[bytes]:
    """Frames of 12 megapixels; drawing them takes seconds."""
    return [form(jpeg) for jpeg in frames.moving(4, size=frames.LARGE)]


async def slow(side: Side, bodies: Sequence[bytes], until: float) -> Counter[str]:
    """Many uploads that send a byte now and then, and never end."""
    senders = [Sender(side.front, bodies, number) for number in range(8)]
    sessions = [await sender.opened_session() for sender in senders]
    found = await asyncio.gather(*(_trickle(side, sessions[n % 8], bodies[0], until) for n in range(SLOW)))
    await asyncio.gather(*(sender.leave() for sender in senders))
    return Counter(found)


async def _trickle(side: Side, session: str, body: bytes, until: float) -> str:
    try:
        reader, writer = await asyncio.open_connection(*side.front)
    except OSError as error:
        return type(error).__name__
    try:
        head, _ = request("POST", f"{SESSIONS}/{session}/frame", body, MULTIPART)
        writer.write(head + body[:1000])
        at = 1000
        while time.monotonic() < until:
            with suppress(TimeoutError):
                line = await asyncio.wait_for(reader.readline(), TRICKLE)
                return line.split()[1].decode() if line else "hung up on"
            writer.write(body[at : at + 1])
            at += 1
    except OSError as error:
        return type(error).__name__
    finally:
        writer.close()
    return "still uploading"


def codes(sender: Sender) -> Counter[str]:
    """What became of a sender's frames."""
    return Counter("200" if s.status == 200 else s.code for s in sender.samples)


ATTACKS = (
    Attack("nobody", nobody, balanced=True),
    Attack(f"one session over {GREEDY} connections", greedy),
    Attack("two with 12 megapixels", huge, prepare=large_bodies),
    Attack(f"{SLOW} uploads that never end", slow, balanced=True),
)
