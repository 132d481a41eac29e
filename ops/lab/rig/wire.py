"""The little of HTTP/1.1 that a load needs, as cheap as possible: the service is measured on the same cores."""

from __future__ import annotations

import asyncio
import re
import socket
from dataclasses import dataclass

_BOUNDARY = "bench-7d1a"
_HEAD = (
    f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="f.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
).encode()
_TAIL = f"\r\n--{_BOUNDARY}--\r\n".encode()
# Both are searched in a head of small letters.
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]+)")
_CLOSE = re.compile(rb"\r\nconnection:[ \t]*close")
#: Bytes that the system accepts in one call: more than a frame.
SEND_BUFFER = 256 * 1024
#: The Content-Type of a frame's request.
MULTIPART = f"multipart/form-data; boundary={_BOUNDARY}"


def form(picture: bytes) -> bytes:
    """The body of a frame's request."""
    return _HEAD + picture + _TAIL


def request(method: str, path: str, body: bytes = b"", content_type: str = "") -> list[bytes]:
    """The head and the body of a request, as bytes to be sent."""
    head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\nContent-Length: {len(body)}\r\n"
    if content_type:
        head += f"Content-Type: {content_type}\r\n"
    return [f"{head}\r\n".encode(), body]


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply."""

    status: int
    body: bytes
    #: Whether the server keeps the connection open.
    keep_alive: bool


class Connection:
    """A connection that is kept open, for one request at a time.

    It uses a socket and the event loop's readers: asyncio's transports join and copy what they send, which would take as
    long as everything else here.
    """

    def __init__(self, sock: socket.socket) -> None:
        """sock: a connected, non-blocking socket."""
        self.open = True
        self._socket = sock
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(sock, self._on_readable)
        self._unsent = memoryview(b"")
        self._got = b""
        self._waiting: asyncio.Future[Reply] | None = None

    @classmethod
    async def to(cls, address: tuple[str, int]) -> Connection:
        """Connect to an address. Raises OSError."""
        sock = socket.socket()
        try:
            sock.setblocking(False)
            # A frame is sent in one call and at once.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().sock_connect(sock, address)
        except BaseException:
            sock.close()
            raise
        return cls(sock)

    async def ask(self, parts: list[bytes]) -> Reply:
        """Send a request and wait for the reply. Raises OSError, and ValueError if the reply has no Content-Length."""
        self._got = b""
        self._waiting = self._loop.create_future()
        try:
            sent = self._socket.sendmsg(parts)
        except BlockingIOError:
            sent = 0
        if sent < sum(map(len, parts)):
            self._unsent = memoryview(b"".join(parts))[sent:]
            self._loop.add_writer(self._socket, self._on_writable)
        reply = await self._waiting
        if not reply.keep_alive:
            self.close()
        return reply

    def close(self) -> None:
        """Close the connection."""
        if self.open:
            self.open = False
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._socket.close()

    def _on_writable(self) -> None:
        try:
            self._unsent = self._unsent[self._socket.send(self._unsent) :]
        except BlockingIOError:
            return
        except OSError as error:
            self._fail(ConnectionError(str(error)))
            return
        if not self._unsent:
            self._loop.remove_writer(self._socket)

    def _on_readable(self) -> None:
        try:
            data = self._socket.recv(65536)
        except BlockingIOError:
            return
        except OSError as error:
            self._fail(ConnectionError(str(error)))
            return
        if not data:
            self._fail(ConnectionError("closed before the reply was complete"))
        elif self._waiting is not None and not self._waiting.done():
            self._take(self._waiting, data)

    def _take(self, waiting: asyncio.Future[Reply], data: bytes) -> None:
        """Append a part of the reply, and hand the reply over once it is complete."""
        self._got += data
        end = self._got.find(b"\r\n\r\n") + 4
        if end < 4:
            return
        head = self._got[:end].lower()
        length = _LENGTH.search(head)
        if length is None:
            self._fail(ValueError("a reply without a length"))
        elif len(self._got) >= (whole := end + int(length[1])):
            keep_alive = _CLOSE.search(head) is None
            waiting.set_result(Reply(int(head[9:12]), self._got[end:whole], keep_alive))

    def _fail(self, error: Exception) -> None:
        """Close the connection; `ask` raises the error."""
        self.close()
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error)
