"""As little HTTP/1.1 as a load needs: what is not spent here is left to what is measured on the same cores."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

_BOUNDARY = "bench-7d1a"
_HEAD = (
    f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="f.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
).encode()
_TAIL = f"\r\n--{_BOUNDARY}--\r\n".encode()
#: What a frame's request says of its body.
MULTIPART = f"multipart/form-data; boundary={_BOUNDARY}"


def form(picture: bytes) -> bytes:
    """A frame's body, made once and sent again and again."""
    return _HEAD + picture + _TAIL


def request(method: str, path: str, body: bytes = b"", content_type: str = "") -> list[bytes]:
    """A request, ready to be written."""
    head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\nContent-Length: {len(body)}\r\n"
    if content_type:
        head += f"Content-Type: {content_type}\r\n"
    return [f"{head}\r\n".encode(), body]


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    body: bytes
    #: Whether the connection may be used again.
    kept: bool


class Connection(asyncio.Protocol):
    """One connection, kept open; one request at a time."""

    def __init__(self) -> None:
        self.open = False
        self._transport: asyncio.WriteTransport
        self._got = bytearray()
        self._waiting: asyncio.Future[Reply] | None = None
        #: Where the body begins in what has come, and where it ends; 0 as long as its head has not come.
        self._begins = self._ends = 0

    @classmethod
    async def to(cls, address: tuple[str, int]) -> Connection:
        """Connect. Raises OSError."""
        _, protocol = await asyncio.get_running_loop().create_connection(cls, *address)
        return protocol

    async def ask(self, parts: list[bytes]) -> Reply:
        """Send a request, and wait for its reply. Raises ConnectionError, and ValueError where a reply has no length."""
        self._got.clear()
        self._begins = self._ends = 0
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.writelines(parts)
        reply = await self._waiting
        if not reply.kept:
            self.close()
        return reply

    def close(self) -> None:
        """Hang up."""
        self.open = False
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport, self.open = transport, True

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever waits for a reply is told that none will come."""
        self.open = False
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(ConnectionError(str(exc) if exc else "closed before its reply was complete"))

    def data_received(self, data: bytes) -> None:
        """Put the reply together; once it is whole, whoever waits for it has it."""
        if self._waiting is None or self._waiting.done():
            return
        self._got += data
        if not self._begins:
            end = self._got.find(b"\r\n\r\n")
            if end < 0:
                return
            length = _header(self._got[:end], b"content-length")
            if length is None:
                self._waiting.set_exception(ValueError("a reply without a length"))
                return
            self._begins, self._ends = end + 4, end + 4 + int(length)
        if len(self._got) >= self._ends:
            head = bytes(self._got[: self._begins])
            kept = (_header(head, b"connection") or b"").lower() != b"close"
            body = bytes(self._got[self._begins : self._ends])
            self._waiting.set_result(Reply(int(head[9:12]), body, kept))


def _header(head: bytes | bytearray, name: bytes) -> bytes | None:
    for line in bytes(head).split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.strip().lower() == name:
            return value.strip()
    return None
