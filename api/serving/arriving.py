"""Finding the end of an HTTP/1 request in its bytes as they arrive. Judging the request is left to the server."""

from __future__ import annotations

import re
from collections import deque

#: Bytes of a body that the server reads at a time.
PIECE = 64 * 1024

_LENGTH = re.compile(rb"[0-9]{1,18}")
_SIZE = re.compile(rb"[0-9a-fA-F]{1,15}")
#: A newline without a carriage return, with which no HTTP line ends: such a head would never end.
_BARE = re.compile(rb"(?<!\r)\n")
#: Bytes allowed in a chunk's first line, and in the trailer after the last chunk.
_CHUNK_LINE = 8190
#: Chunks allowed in a body: each costs time of the loop that all connections share.
_CHUNKS = 4096


class Arriving:
    """One request as it arrives: give its bytes to `take` until `over`.

    A request is over when all of it has arrived (`whole`), or when no more of it is wanted: the head or the body is too
    large, or the bytes are not HTTP. The server is then given what has arrived, and answers what is wrong.
    """

    def __init__(self, *, head_limit: int, body_limit: int) -> None:
        """Begin a request. Both limits are bytes; a body that announces more than its limit is over with its head."""
        self._head_limit, self._body_limit = head_limit, body_limit
        self._bytes = bytearray()
        self._searched = 0
        self._head: int | None = None
        #: Bytes of head and body together; None until they are known.
        self._end: int | None = None
        #: For a chunked body: where the next chunk begins, the chunks so far, and the bytes of the chunks' own lines.
        self._chunk: int | None = None
        self._chunks = self._lines = 0
        self.over = False
        self.whole = False
        #: Whether the client waits for `100 Continue` before it sends its body.
        self.asks = False

    def __len__(self) -> int:
        return len(self._bytes)

    def take(self, data: bytes) -> None:
        """Add the bytes that arrived next."""
        self._bytes += data
        if self._head is None:
            self._read_head()
        if self.over or self._head is None:
            return
        if self._chunk is not None and self._end is None:
            self._read_chunks(self._head)
        if self._end is not None and len(self._bytes) >= self._end:
            self.over = self.whole = True

    @property
    def head(self) -> bytes:
        """The request line and the fields, with the empty line that ends them; empty until that line has arrived."""
        return bytes(self._bytes[: self._head or 0])

    @property
    def alone(self) -> bool:
        """Whether no byte of a next request has arrived."""
        return len(self._bytes) == self._end

    def split(self) -> tuple[deque[bytes], bytes]:
        """The head and the pieces of the body, as far as they have arrived; and the bytes of the next request."""
        end = self._end if self.whole and self._end is not None else len(self._bytes)
        head = end if self._head is None else self._head
        with memoryview(self._bytes) as view:
            body = (bytes(view[at : min(at + PIECE, end)]) for at in range(head, end, PIECE))
            return deque((bytes(view[:head]), *body)), bytes(view[end:])

    def _read_head(self) -> None:
        start = 2 if self._bytes[:2] == b"\r\n" else 0  # one empty line may come first (RFC 9112, 2.2)
        since = max(start, self._searched - 3)
        end = self._bytes.find(b"\r\n\r\n", since)
        self._searched = len(self._bytes)
        if end < 0:
            self.over = len(self._bytes) > self._head_limit or _BARE.search(self._bytes, since) is not None
            return
        self._head = end + 4
        first, *lines = bytes(self._bytes[start:end]).split(b"\r\n")
        lengths, codings = [], []
        for line in lines:
            name, _, value = line.partition(b":")
            match name.lower():
                case b"content-length":
                    lengths.append(value.strip())
                case b"transfer-encoding":
                    codings.append(value.strip().lower())
                case b"expect":
                    self.asks = value.strip().lower() == b"100-continue" and not first.endswith(b"/1.0")
        if codings:
            self.over = codings != [b"chunked"] or bool(lengths)
            self._chunk = self._head
        elif not lengths:
            self._end = self._head
        elif len(lengths) == 1 and _LENGTH.fullmatch(lengths[0]) and int(lengths[0]) <= self._body_limit:
            self._end = self._head + int(lengths[0])
        else:
            self.over = True

    def _read_chunks(self, head: int) -> None:
        """Go from chunk to chunk, as far as they have arrived."""
        assert self._chunk is not None
        while self._chunk <= len(self._bytes):
            line = self._bytes.find(b"\r\n", self._chunk)
            if line < 0:
                self.over = len(self._bytes) - self._chunk > _CHUNK_LINE
                break
            size = bytes(self._bytes[self._chunk : line]).partition(b";")[0].strip()
            if not _SIZE.fullmatch(size):
                self.over = True
                return
            if int(size, 16) == 0:  # the last chunk; a trailer may follow, and an empty line ends it
                end = self._bytes.find(b"\r\n\r\n", line)
                if end >= 0:
                    self._end = end + 4
                else:
                    self.over = len(self._bytes) - line > _CHUNK_LINE
                break
            self._lines += line + 4 - self._chunk
            self._chunk = line + 2 + int(size, 16) + 2
            self._chunks += 1
        if (self._end is None and len(self._bytes) - head - self._lines > self._body_limit) or self._chunks > _CHUNKS:
            self.over, self._end = True, None
