"""The one client of the service's API that all loads use: as many connections as requests are made at once, kept open."""

from __future__ import annotations

import asyncio
import http.client

import msgspec

from ops.lab.rig.wire import MULTIPART, Connection, Reply, request

SESSIONS = "/api/v1/liveness/sessions"
#: The states in which a session is over.
ENDED = frozenset({"completed", "failed", "expired"})


class Body(msgspec.Struct):
    """The members of an answer that loads look at; a member that the answer does not have has its default."""

    session_id: str = ""
    state: str = ""
    is_live: bool | None = None
    passed: bool = False
    challenge_type: str | None = None
    code: str = ""


class Answer(msgspec.Struct):
    """What became of a request."""

    #: 0 if there was no answer.
    status: int
    #: Empty for 200, else the problem's code, or the name of the exception that took the answer's place.
    code: str
    body: Body


class Client:
    """The connections of one client."""

    def __init__(self, address: tuple[str, int], timeout: float) -> None:
        """timeout: seconds after which an answer is no longer waited for."""
        self._address, self._timeout = address, timeout
        self._idle: list[Connection] = []

    async def create(self, query: str) -> Answer:
        """Create a session."""
        return await self._ask("POST", f"{SESSIONS}?{query}")

    async def frame(self, session_id: str, form: bytes) -> Answer:
        """Send a frame. form: the request's body, see `wire.form`."""
        return await self._ask("POST", f"{SESSIONS}/{session_id}/frame", form, MULTIPART)

    async def cancel(self, session_id: str) -> Answer:
        """Cancel a session."""
        return await self._ask("DELETE", f"{SESSIONS}/{session_id}")

    def close(self) -> None:
        """Close all idle connections."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    async def _ask(self, method: str, path: str, body: bytes = b"", content_type: str = "") -> Answer:
        try:
            async with asyncio.timeout(self._timeout):
                reply = await self._reply(request(method, path, body, content_type))
        except (OSError, ValueError) as error:  # TimeoutError is an OSError
            return Answer(0, type(error).__name__, Body())
        try:
            found = _decode(reply.body)
        except ValueError:
            return Answer(reply.status, "not a problem document", Body())
        return Answer(reply.status, "" if reply.status == 200 else found.code or str(reply.status), found)

    async def _reply(self, parts: list[bytes]) -> Reply:
        """Send on an idle connection or a new one; it is idle afterwards if it is still open."""
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


def answers(address: tuple[str, int], path: str, timeout: float = 10.0) -> bool:
    """Whether a GET is answered with 200; for callers that have no event loop."""
    connection = http.client.HTTPConnection(*address, timeout=timeout)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


_decode = msgspec.json.Decoder(Body).decode
