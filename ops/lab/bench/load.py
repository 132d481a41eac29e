"""A load of frames over sessions: as fast as answers come (closed), or at a fixed rate whatever comes (open)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import msgspec

from ops.lab.bench.samples import Sample
from ops.lab.rig.wire import MULTIPART, Connection, Reply, request

PATH = "/api/v1/liveness/sessions"
#: The longest sessions that there are: a frame of an ended one costs hardly anything, and would flatter whom it is sent to.
QUERY = "num_challenges=10&timeout_seconds=60"
#: Seconds after which an answer is no longer waited for; every deadline of the service is shorter.
ANSWER_TIMEOUT = 20.0
#: Seconds that a client waits after it was refused, before it sends again (closed loads).
PAUSE = 0.05
_ENDED = frozenset({"completed", "failed", "expired"})


class _Told(msgspec.Struct):
    """What of an answer is looked at."""

    session_id: str | None = None
    state: str = ""
    code: str = ""


_told = msgspec.json.Decoder(_Told)


@dataclass(frozen=True, slots=True)
class Due:
    """When a frame of an open load is to be sent, in seconds from its beginning, and of which session it is."""

    at: float
    session: int


def schedule(rate: float, sessions: int) -> Iterator[Due]:
    """Frames at `rate` a second for ever, evenly, from one session after the other."""
    number = 0
    while True:
        yield Due(number / rate, number % sessions)
        number += 1


class Client:
    """One person before a camera: a session, opened anew when it has ended, and as many connections as it needs."""

    def __init__(self, address: tuple[str, int], bodies: Sequence[bytes], number: int = 0) -> None:
        """bodies: see `wire.form`; clients begin at different ones, and each goes on in their order."""
        self.samples: list[Sample] = []
        #: How many sessions were opened.
        self.opened = 0
        self._address, self._bodies = address, bodies
        self._at = number * 37
        self._session: str | None = None
        #: Sessions that have ended, of which frames may still be under way.
        self._over: list[str] = []
        self._under_way = 0
        self._opening = asyncio.Lock()
        self._idle: list[Connection] = []

    async def frame(self, due: float | None = None) -> Sample:
        """Send the next frame, and note what became of it. due: else now, once there is a session."""
        sent = time.monotonic()
        self._under_way += 1
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT):
                session = self._session or await self.opened_session()
                sent = time.monotonic()
                status, code = await self._submit(session)
        except (OSError, ValueError, TimeoutError) as error:
            status, code = 0, type(error).__name__
        sample = Sample(sent if due is None else due, sent, time.monotonic(), status, code)
        self.samples.append(sample)
        self._under_way -= 1
        if self._over and not self._under_way:
            await self._tidy()
        return sample

    async def leave(self) -> None:
        """Cancel the session, hang up."""
        self._end()
        await self._tidy()
        await self.hang_up()

    async def hang_up(self) -> None:
        """Close all connections; the session stays."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    async def _submit(self, session: str) -> tuple[int, str]:
        body = self._bodies[self._at % len(self._bodies)]
        self._at += 1
        reply = await self._ask(request("POST", f"{PATH}/{session}/frame", body, MULTIPART))
        told = _told.decode(reply.body)
        if reply.status == 200:
            if told.state in _ENDED and session == self._session:
                self._end()
            return 200, ""
        return reply.status, told.code or str(reply.status)

    async def opened_session(self) -> str:
        """The id of its session, which is created if there is none."""
        async with self._opening:
            if self._session is None:
                reply = await self._ask(request("POST", f"{PATH}?{QUERY}"))
                if reply.status != 200:
                    raise ValueError(f"no session: {reply.status} {reply.body[:200]!r}")
                self._session = _told.decode(reply.body).session_id
                self.opened += 1
            return self._session

    def _end(self) -> None:
        if self._session is not None:
            self._over.append(self._session)
            self._session = None

    async def _tidy(self) -> None:
        """Have what is over forgotten, so that nothing grows that would not grow with people who come and go."""
        over, self._over = self._over, []
        with suppress(OSError, ValueError, TimeoutError):
            for session in over:
                async with asyncio.timeout(ANSWER_TIMEOUT):
                    await self._ask(request("DELETE", f"{PATH}/{session}"))

    async def _ask(self, parts: list[bytes]) -> Reply:
        """On a connection that nobody uses, or a new one; back among the others if it is still good."""
        while self._idle and not self._idle[-1].open:
            self._idle.pop()
        connection = self._idle.pop() if self._idle else await Connection.to(self._address)
        try:
            reply = await connection.ask(parts)
        except BaseException:
            connection.close()
            raise
        if connection.open:
            self._idle.append(connection)
        return reply


async def closed(clients: Sequence[Client], until: float) -> None:
    """Each client sends its next frame when the one before is answered, until that moment of the monotonic clock."""

    async def one(client: Client) -> None:
        while time.monotonic() < until:
            if (await client.frame()).status != 200:
                await asyncio.sleep(PAUSE)

    await asyncio.gather(*(one(client) for client in clients))


async def open_loop(clients: Sequence[Client], rate: float, until: float) -> None:
    """`rate` frames a second, whether answers come or not; returns when all have been answered or given up.

    A frame's latency counts from the moment it was due, so that what it had to wait for others is in it.
    """
    begun = time.monotonic()
    under_way: set[asyncio.Task[Sample]] = set()
    for due in schedule(rate, len(clients)):
        at = begun + due.at
        if at >= until:
            break
        if (wait := at - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        task = asyncio.create_task(clients[due.session].frame(at))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    await asyncio.gather(*under_way)
