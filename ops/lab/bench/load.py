"""A load of frames over sessions: as fast as answers come (closed), or at a fixed rate whatever comes (open)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ops.lab.bench.samples import Sample
from ops.lab.rig.client import ENDED, Client

#: The longest sessions possible: a frame of an ended session costs hardly anything, and would flatter the service.
QUERY = "num_challenges=10&timeout_seconds=60"
#: Seconds after which an answer is no longer waited for; every deadline of the service is shorter.
ANSWER_TIMEOUT = 20.0
#: Seconds that a sender waits after a refusal before it sends again (closed loads).
PAUSE = 0.05


@dataclass(frozen=True, slots=True)
class Due:
    """When a frame of an open load is to be sent, in seconds from the load's beginning, and by which sender."""

    at: float
    sender: int


def schedule(rate: float, senders: int) -> Iterator[Due]:
    """Frames at `rate` a second without end, evenly spaced, from one sender after the other."""
    number = 0
    while True:
        yield Due(number / rate, number % senders)
        number += 1


class Sender:
    """One person before a camera: sends frames to a session, and opens a new one when it has ended."""

    def __init__(self, address: tuple[str, int], bodies: Sequence[bytes], number: int = 0) -> None:
        """bodies: see `wire.form`; senders begin at different ones, and each goes on in their order."""
        self.samples: list[Sample] = []
        #: The number of sessions that were opened.
        self.opened = 0
        self._client, self._bodies = Client(address, ANSWER_TIMEOUT), bodies
        self._at = number * 37
        self._session = ""
        #: Sessions that have ended, but may still have frames under way.
        self._over: list[str] = []
        self._under_way = 0
        self._opening = asyncio.Lock()

    async def frame(self, due: float | None = None) -> Sample:
        """Send the next frame, and note what became of it. due: when it is due; None: as soon as there is a session."""
        sent = time.monotonic()
        self._under_way += 1
        try:
            session = self._session or await self.opened_session()
            sent = time.monotonic()
            status, code = await self._submit(session)
        except ConnectionError as error:
            status, code = 0, str(error)
        sample = Sample(sent if due is None else due, sent, time.monotonic(), status, code)
        self.samples.append(sample)
        self._under_way -= 1
        if self._over and not self._under_way:
            await self._cancel_ended()
        return sample

    async def leave(self) -> None:
        """Cancel the session and close all connections."""
        self._end()
        await self._cancel_ended()
        self._client.close()

    def hang_up(self) -> None:
        """Close all connections; the session stays."""
        self._client.close()

    async def opened_session(self) -> str:
        """The id of the present session, created if there is none. Raises ConnectionError if that is refused."""
        async with self._opening:
            if not self._session:
                answer = await self._client.create(QUERY)
                if answer.status != 200:
                    raise ConnectionError(f"no session: {answer.code}")
                self._session = answer.body.session_id
                self.opened += 1
            return self._session

    async def _submit(self, session: str) -> tuple[int, str]:
        body = self._bodies[self._at % len(self._bodies)]
        self._at += 1
        answer = await self._client.frame(session, body)
        if answer.body.state in ENDED and session == self._session:
            self._end()
        return answer.status, answer.code

    def _end(self) -> None:
        if self._session:
            self._over.append(self._session)
            self._session = ""

    async def _cancel_ended(self) -> None:
        """Have the service forget ended sessions: with people who come and go, nothing would grow either."""
        over, self._over = self._over, []
        for session in over:
            await self._client.cancel(session)


async def closed(senders: Sequence[Sender], until: float) -> None:
    """Each sender sends its next frame when the one before is answered, until that moment of the monotonic clock."""

    async def one(sender: Sender) -> None:
        while time.monotonic() < until:
            if (await sender.frame()).status != 200:
                await asyncio.sleep(PAUSE)

    await asyncio.gather(*(one(sender) for sender in senders))


async def open_loop(senders: Sequence[Sender], rate: float, until: float) -> None:
    """`rate` frames a second, whether answers come or not; returns when all have been answered or given up.

    A frame's latency counts from the moment it was due, so that what it had to wait for others is in it.
    """
    began = time.monotonic()
    under_way: set[asyncio.Task[Sample]] = set()
    for due in schedule(rate, len(senders)):
        at = began + due.at
        if at >= until:
            break
        if (wait := at - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        task = asyncio.create_task(senders[due.sender].frame(at))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    await asyncio.gather(*under_way)
