"""The client for programs with an event loop: the calls of `Client`, to be awaited."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, Unpack

import httpx

from liveness_client import wire
from liveness_client.errors import Busy, ClientError, Refused, Unreachable
from liveness_client.life import USUAL_RATE, Life, Listener, Opening, Silent
from liveness_client.models import Outcome, Reply, Session


class AsyncClient:
    """A client of one server, for asyncio; several checks may share it. See `liveness_client.Client`."""

    def __init__(self, url: str, *, token: str | None = None, answer_within: float = wire.ANSWER_WITHIN) -> None:
        self.url = url.rstrip("/")
        self._sequences = wire.Sequences()
        self._http = httpx.AsyncClient(
            base_url=self.url, timeout=answer_within, follow_redirects=False, headers=wire.headers(token)
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def open(self, **options: Unpack[wire.Options]) -> Session:
        """Create a session, with the options of `liveness_client.Options`."""
        return wire.session_of(await self._ask(wire.creation(options)))

    async def submit(self, session_id: str, picture: bytes) -> Reply:
        """Send a frame, JPEG or PNG, and return the server's answer to it."""
        body = await self._ask(wire.submission(session_id, picture, self._sequences.of(session_id)))
        self._sequences.take(session_id, body)
        return wire.reply_of(body)

    async def look(self, session_id: str) -> Session:
        """Get the session as it is now."""
        return wire.session_of(await self._ask(wire.looking(session_id)))

    async def evidence(self, session_id: str) -> Mapping[str, Any]:
        """Get the evidence of a session as the server's JSON object (docs/evidence.md); needs a key of the role `server`."""
        return await self._ask(wire.evidence(session_id))

    async def verdict(self, session_id: str, *, audience: str | None = None) -> str:
        """Get the signed verdict of a completed session, for `verify_verdict`; needs a key of the role `server`."""
        return wire.verdict_of(await self._ask(wire.verdict(session_id, audience)))

    async def cancel(self, session_id: str) -> None:
        """Cancel a session. A session that the server does not know is no error."""
        self._sequences.forget(session_id)
        try:
            await self._ask(wire.cancellation(session_id))
        except Refused as refused:
            if refused.status != httpx.codes.NOT_FOUND:
                raise

    async def check(
        self,
        frame: Callable[[float], Awaitable[bytes | None]],
        listener: Listener | None = None,
        *,
        rate: float = USUAL_RATE,
        **options: Unpack[wire.Options],
    ) -> Outcome:
        """Run a whole session as `Client.check` does. Cancelling the task cancels the session, too."""
        listener = listener or Silent()
        picture = await frame(0.0)
        session = await self._opened(listener, wire.in_sequence(options))
        listener.opened(session)
        began = time.monotonic()
        life = Life(listener, rate, began)
        try:
            while picture is not None and life.outcome is None:
                await self._try(session, picture, life)
                if life.outcome is None:
                    await asyncio.sleep(life.pause(time.monotonic()))
                    picture = await frame(time.monotonic() - began)
        finally:
            if life.outcome is None:
                with suppress(Busy, Refused, Unreachable):
                    await self.cancel(session.id)
        return life.outcome or Outcome("cancelled", None)

    async def _opened(self, listener: Listener, options: wire.Options) -> Session:
        opening = Opening(listener, time.monotonic())
        while True:
            try:
                return await self.open(**options)
            except Busy as busy:
                await asyncio.sleep(opening.pause(busy, time.monotonic()))

    async def _try(self, session: Session, picture: bytes, life: Life) -> None:
        try:
            reply = await self.submit(session.id, picture)
        except ClientError as error:
            life.suffer(error, time.monotonic())
        else:
            life.hear(reply, time.monotonic())

    async def _ask(self, request: wire.Request) -> Mapping[str, Any]:
        try:
            response = await self._http.request(request.method, request.path, **request.more)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise wire.failure(self.url, error) from error
        return wire.body_of(self.url, response)
