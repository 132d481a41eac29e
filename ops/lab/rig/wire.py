"""As little HTTP/1.1 as a load needs: what is not spent here is left to what is measured on the same cores."""

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
#: Of a head in small letters.
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]+)")
_CLOSE = re.compile(rb"\r\nconnection:[ \t]*close")
#: Bytes that the system takes at once.
SEND_BUFFER = 256 * 1024
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


class Connection:
    """One connection, kept open; one request at a time.

    A socket of its own that the loop watches: asyncio's transports join and copy what they send, which takes as long as all
    else here.
    """

    def __init__(self, sock: socket.socket) -> None:
        """sock: connected, and not blocking."""
        self.open = True
        self._socket = sock
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(sock, self._on_readable)
        self._unsent = memoryview(b"")
        self._got = b""
        self._waiting: asyncio.Future[Reply] | None = None

    @classmethod
    async def to(cls, address: tuple[str, int]) -> Connection:
        """Connect. Raises OSError."""
        sock = socket.socket()
        try:
            sock.setblocking(False)
            # A frame is one call, and nothing waits for more.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().sock_connect(sock, address)
        except BaseException:
            sock.close()
            raise
        return cls(sock)

    async def ask(self, parts: list[bytes]) -> Reply:
        """Send a request, and wait for its reply. Raises ConnectionError, and ValueError where a reply has no length."""
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
        if not reply.kept:
            self.close()
        return reply

    def close(self) -> None:
        """Hang up."""
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
            self._fail(ConnectionError("closed before its reply was complete"))
        elif self._waiting is not None and not self._waiting.done():
            self._take(self._waiting, data)

    def _take(self, waiting: asyncio.Future[Reply], data: bytes) -> None:
        """Put the reply together; once it is whole, whoever waits for it has it."""
        self._got += data
        end = self._got.find(b"\r\n\r\n") + 4
        if end < 4:
            return
        head = self._got[:end].lower()
        length = _LENGTH.search(head)
        if length is None:
            self._fail(ValueError("a reply without a length"))
        elif len(self._got) >= (whole := end + int(length[1])):
            kept = _CLOSE.search(head) is None
            waiting.set_result(Reply(int(head[9:12]), self._got[end:whole], kept))

    def _fail(self, error: Exception) -> None:
        """Whoever waits for a reply is told that none will come."""
        self.close()
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error)
