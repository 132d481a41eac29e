"""A load of people before cameras who do what they are asked; every request and its answer is noted."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ops.lab.rig.client import ENDED, Answer, Client
from ops.lab.rig.wire import form

#: Seconds after which a client hangs up: longer than any answer may take, so that late answers are noted as such.
ANSWER_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Request:
    """A request and what became of it."""

    #: create, frame or cancel.
    what: str
    #: When the request was sent, by the monotonic clock, and how many seconds its answer took.
    at: float
    took: float
    #: 0 if there was no answer.
    status: int
    #: See `Answer`.
    code: str = ""
    session_id: str = ""


@dataclass(slots=True)
class Seen:
    """What a client was told about its session."""

    session_id: str
    state: str = "pending"
    is_live: bool | None = None
    passes: int = 0
    frames: int = 0
    #: Whether the client walked away from the session, or cancelled it.
    left: bool = False
    cancelled: bool = False


class Frames(Protocol):
    """The pictures that clients send (`ops.lab.rig.clips.Clips`)."""

    rest: list[bytes]

    def take(self, kind: str, number: int) -> list[bytes]:
        """The JPEGs of one take of a gesture."""


@dataclass
class Notes:
    """What all clients of a load have seen so far."""

    requests: list[Request] = field(default_factory=list)
    sessions: dict[str, Seen] = field(default_factory=dict)


class Load:
    """A number of clients, each with one session after the other; they run in a thread until `finish`."""

    def __init__(
        self,
        address: tuple[str, int],
        frames: Frames,
        *,
        clients: int,
        fps: float,
        challenges: Sequence[int] = (1, 2, 3),
        timeout_seconds: float = 4.0,
        leaving: float = 0.15,
        query: str = "",
        seed: int = 0,
    ) -> None:
        """leaving: the share of sessions that their client walks away from or cancels."""
        self._address = address
        self._frames = frames
        self._fps, self._challenges, self._timeout, self._leaving = fps, challenges, timeout_seconds, leaving
        self._query = query
        self.notes = Notes()
        self._chances = [random.Random(f"{seed}-{n}") for n in range(clients)]  # noqa: S311 - nothing secret
        self._ending = threading.Event()
        self._hurry = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="load", daemon=True)

    def start(self) -> None:
        """Start the clients."""
        self._thread.start()

    def finish(self, within: float = 25.0) -> None:
        """Begin no more sessions, and wait for those that run; after `within` seconds their clients walk away."""
        self._ending.set()
        self._thread.join(within)
        self._hurry.set()
        self._thread.join(ANSWER_TIMEOUT + 5)

    async def _run(self) -> None:
        await asyncio.gather(*(self._client(chance) for chance in self._chances))

    async def _client(self, chance: random.Random) -> None:
        await asyncio.sleep(chance.random())
        client = Client(self._address, ANSWER_TIMEOUT)
        while not self._ending.is_set():
            await self._session(client, chance)
        client.close()

    async def _session(self, client: Client, chance: random.Random) -> None:
        query = f"num_challenges={chance.choice(self._challenges)}&timeout_seconds={self._timeout}{self._query}"
        answer = await self._noted("create", client.create(query))
        if answer.status != 200:
            await asyncio.sleep(0.5)
            return
        seen = Seen(answer.body.session_id)
        self.notes.sessions[seen.session_id] = seen
        leaves_after = chance.randrange(5, 25) if chance.random() < self._leaving else None
        due = time.monotonic()
        kind, take, at = None, chance.randrange(100), 0
        while seen.state not in ENDED and not self._hurry.is_set():
            if leaves_after is not None and seen.frames >= leaves_after:
                await self._leave(client, seen, chance)
                return
            frames = self._frames.rest if kind is None else self._frames.take(kind, take)
            sending = client.frame(seen.session_id, form(frames[at % len(frames)]))
            answer = await self._noted("frame", sending, seen.session_id)
            at += 1
            seen.frames += 1
            if answer.status == 200:
                body = answer.body
                seen.state, seen.is_live = body.state, body.is_live
                seen.passes += body.passed
                asked = None if body.passed else body.challenge_type
                if asked != kind or at >= len(frames):
                    kind, take, at = asked, take + 1, 0
            elif answer.status == 404:
                return
            due = max(due + 1 / self._fps, time.monotonic() - 1.0)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        seen.left = seen.state not in ENDED

    async def _leave(self, client: Client, seen: Seen, chance: random.Random) -> None:
        seen.left = True
        if chance.random() < 0.5:
            answer = await self._noted("cancel", client.cancel(seen.session_id), seen.session_id)
            seen.cancelled = answer.status == 200

    async def _noted(self, what: str, asking: Awaitable[Answer], session_id: str = "") -> Answer:
        began = time.monotonic()
        answer = await asking
        took = time.monotonic() - began
        self.notes.requests.append(Request(what, began, took, answer.status, answer.code, session_id))
        return answer
