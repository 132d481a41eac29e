"""gunicorn's threaded worker, which has a request whole before it gives it a thread.

gunicorn reads heads and bodies in its threads: whoever sends a byte a second holds one for as long as he likes, and as
many of him as there are threads are all that it takes to stop the service. A balancer that buffers requests (nginx does)
keeps them away; a platform's router does not. Here the process's one loop reads what comes, of all connections at once,
and a thread gets a request when all of it is there: a slow client costs a descriptor and the bytes that it has sent.

- A request must be there within `REQUEST_WITHIN` and what its bytes take at `SLOWEST`; else it is answered 408 (`too_slow`).
- Of requests that no thread has yet, a process holds `MOST_BUFFERED` bytes: beyond that the largest of them gives way
  (503, `unavailable`). Of `worker_connections` one is kept free for who comes next: the one that has been waited for
  longest gives way. An honest request is there in a moment, and small.
- A request whose head says that it is too large is answered at once, and what still comes of it thrown away.
- What the app refuses whatever it is (`app.extensions["door"]`, see `api.serving.door`) is answered by the
  loop: no thread has it.
- An answer that its client does not read waits in the system's buffer, not in a thread: the largest fits into it, and
  the connection's next request waits until there is room for another.

What gunicorn does with kept connections is done here, so that there is one list of all that are waited for, by age; and
what it does with those that end: it waits in the loop for the client to hang up, for up to two seconds, while nobody is
served. docs/adr/0008 says why this is not another server.
"""

from __future__ import annotations

import errno
import fcntl
import selectors
import socket
import struct
import termios
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Any, Protocol
from uuid import uuid4

import structlog
from gunicorn.errors import ConfigError
from gunicorn.http.parser import RequestParser
from gunicorn.workers.gthread import TConn

from api.problems import KINDS, early
from api.serving.arriving import Arriving
from api.serving.draining import DrainingWorker
from api.uploads import body_limit
from shared.settings import get_settings
from shared.telemetry.metrics.table import PROBLEMS

#: Seconds that any request may take to come, and bytes a second at which larger ones may: a picture of 60 KB has 14
#: seconds, the largest that is taken four and a half minutes.
REQUEST_WITHIN, SLOWEST = 10.0, 16 * 1024
#: Seconds that are left when the process stops: to requests on their way, and to who has not begun and may ask elsewhere.
STOPPING, STOPPING_IDLE = 3.0, 2.0
#: Bytes that a process holds of requests that no thread has yet.
MOST_BUFFERED = 64 * 2**20
#: How many times the largest body is thrown away, and for how many seconds at most, of a client that is answered while
#: it is still sending: it must get to see the answer, not "connection reset".
LINGER_BODIES, LINGER_SECONDS = 4, 5.0
#: Bytes of an answer that the system takes from a thread at once, more than any that there is; and seconds that a thread
#: gives it all the same.
ANSWER_BUFFER, ANSWER_SECONDS = 256 * 1024, 10.0
#: Bytes read at a time, and seconds between two looks at who is late.
_PIECE, _LOOK = 64 * 1024, 0.5

log = structlog.get_logger(__name__)


class Connection(TConn):
    """A connection, and the request that is coming on it."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.initialized = True  # what that means to gunicorn is done for each request, in `hand_over`
        self.arriving: Arriving | None = None
        #: When this request's first byte came, and when the connection is given up.
        self.began: float | None = None
        self.until = 0.0
        #: Of the request that a thread has or waits for: whether it is all there, when it was, and the bytes of the next one
        #: that came with it.
        self.whole = True
        self.came = 0.0
        self.rest = b""
        #: Bytes that count as held.
        self.buffered = 0
        #: Bytes that may still be thrown away.
        self.lingers = 0

    def hand_over(self, arriving: Arriving) -> None:
        """Have a thread find the request in place of what comes on the socket."""
        self.whole, self.came = arriving.whole, time.monotonic()
        pieces, self.rest = arriving.split()
        self.parser = RequestParser(self.cfg, _one_by_one(pieces), self.client)

    def reads(self) -> bool:
        """Whether the client has taken so much of the answers before this one that there is room for another."""
        try:
            (unsent,) = struct.unpack("i", fcntl.ioctl(self.sock, termios.TIOCOUTQ, bytes(4)))
        except OSError:
            return True
        return bool(unsent <= ANSWER_BUFFER // 4)


class Refuses(Protocol):
    """What an app has at its door (`api.serving.door`)."""

    def refusal(self, head: bytes) -> tuple[bytes, bool] | None:
        """The answer to a whole request with this head, and whether another may follow it; None: the app must see it."""


class ReceivingWorker(DrainingWorker):
    """See above."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        #: Connections whose request is awaited or on its way, those that have been waited for longest first; and those that
        #: are listened to no more.
        self._incoming: dict[Connection, None] = {}
        self._lingering: dict[Connection, None] = {}
        self._buffered = 0
        self._held_lock = threading.Lock()
        self._looked = 0.0
        self._stopped: float | None = None
        cfg = self.cfg
        self._head_limit = cfg.limit_request_fields * (cfg.limit_request_field_size + 2) + 4 + cfg.limit_request_line
        self._body_limit = 0
        self._door: Refuses | None = None

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Called once, before the fork."""
        if cfg.is_ssl or cfg.http_protocols != ["h1"] or cfg.protocol != "http" or cfg.proxy_protocol != "off":
            raise ConfigError("This worker speaks plain HTTP/1: put a proxy that speaks what else there is before it.")
        super().check_config(cfg, log)

    def init_process(self) -> None:
        """Called once in the process, after the fork."""
        self._body_limit = body_limit(get_settings())
        super().init_process()

    def load_wsgi(self) -> None:
        """The app; not every one has a door."""
        super().load_wsgi()
        self._door = getattr(self.wsgi, "extensions", {}).get("door")

    # What gunicorn calls in its loop.

    def accept(self, listener: socket.socket) -> None:
        """A connection; its first request is awaited in the loop."""
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:
            # Out of descriptors: gunicorn would end here, and be started again among those who have taken them.
            if error.errno not in (errno.EMFILE, errno.ENFILE) or not self._make_room():
                raise
            return
        self.nr_conns += 1
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, ANSWER_BUFFER)
        conn = Connection(self.cfg, client, address, listener.getsockname())
        self._await(conn)
        self._on_readable(conn, client)  # it has come already, mostly
        if self.nr_conns >= self.worker_connections:
            self._make_room()

    def finish_request(self, conn: Connection, done: Any) -> None:
        """A thread has answered."""
        self._release(conn)
        if done.cancelled() or done.exception() is not None or not done.result():
            self._linger(conn)
        else:
            self._await(conn)

    def murder_pending(self) -> None:
        """Give up who is late; called with each turn of the loop."""
        now = time.monotonic()
        if now - self._looked < _LOOK:
            return
        self._looked = now
        if not self.alive:
            self._stopped = self._stopped or now
        for conn in [*self._incoming, *self._lingering]:
            if self._stopped:
                conn.until = min(conn.until, self._stopped + (STOPPING_IDLE if conn.began is None else STOPPING))
            if conn.arriving is not None and conn.arriving.over and conn.reads():
                self._hand_over(conn)
            elif now > conn.until and conn.arriving:
                self._give_up(conn)
            elif now > conn.until:
                self._close(conn)

    # What gunicorn calls in a thread.

    def handle_request(self, req: Any, conn: Connection) -> bool:
        """Answer it; returns whether another request may come on the connection."""
        self._release(conn)
        conn.sock.settimeout(ANSWER_SECONDS)
        req.body.came = conn.came  # api.context asks for it
        req._expected_100_continue = False  # noqa: SLF001 - it has been told, or is told by the answer that it may not
        if not conn.whole:
            req.force_close()
        try:
            follows = super().handle_request(req, conn)
        except TimeoutError:  # the answer was not taken
            return False
        if not follows:
            return False
        with suppress(Exception):  # whatever gunicorn finds wrong with the rest of the body
            while req.body.read(_PIECE):
                pass
            # Else gunicorn and we do not agree where it ends: nothing can follow it.
            return not conn.parser.unreader.read()
        return False

    # Requests on their way.

    def _await(self, conn: Connection) -> None:
        conn.sock.setblocking(False)
        self._begin(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._on_readable, conn))
        rest, conn.rest = conn.rest, b""
        if rest:
            self._take(conn, rest)

    def _begin(self, conn: Connection) -> None:
        """Its next request may come."""
        conn.arriving = Arriving(head_limit=self._head_limit, body_limit=self._body_limit)
        conn.began = None
        conn.until = time.monotonic() + self.cfg.keepalive
        self._incoming.pop(conn, None)  # to stand at the end
        self._incoming[conn] = None

    def _on_readable(self, conn: Connection, _client: socket.socket) -> None:
        if conn not in self._incoming:
            return  # given up in this very turn of the loop
        data = _receive(conn.sock)
        if data:
            self._take(conn, data)
        elif data is not None:
            self._close(conn)

    def _take(self, conn: Connection, data: bytes) -> None:
        arriving = conn.arriving
        assert arriving is not None
        if conn.began is None:
            conn.began = time.monotonic()
            self._incoming[conn] = self._incoming.pop(conn)  # to the end: those before it began before it
        arriving.take(data)
        conn.until = conn.began + REQUEST_WITHIN + len(arriving) / SLOWEST
        self._hold(conn, len(data))
        if self._buffered > MOST_BUFFERED:
            largest = max(self._incoming, key=lambda c: len(c.arriving or ()))
            self._give_up(largest, "unavailable")
            if largest is conn:
                return
        if arriving.over:
            if conn.reads():
                if not self._turn_away(conn, arriving):
                    self._hand_over(conn)
            else:
                self.poller.unregister(conn.sock)  # until it does; murder_pending looks
        elif arriving.asks:
            arriving.asks = False
            with suppress(OSError):
                conn.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _turn_away(self, conn: Connection, arriving: Arriving) -> bool:
        """Answer it here, where the app refuses it unseen; whether that was done."""
        # One that others follow at once goes the long way, as all do while the process stops.
        if self._door is None or not self.alive or not arriving.whole or not arriving.alone:
            return False
        refusal = self._door.refusal(arriving.head)
        if refusal is None:
            return False
        answer, follows = refusal
        self._release(conn)
        try:
            sent = conn.sock.send(answer)
        except OSError:
            sent = 0
        if sent < len(answer):  # there is room for far more: the client has gone
            self._close(conn)
        elif follows:
            self._begin(conn)
        else:
            self._forget(conn)
            self._linger(conn)
        return True

    def _hand_over(self, conn: Connection) -> None:
        """Give it to a thread."""
        conn.hand_over(self._forget(conn))
        self.enqueue_req(conn)

    def _forget(self, conn: Connection) -> Arriving:
        """It is not on its way any more; what it holds it still does."""
        del self._incoming[conn]
        arriving, conn.arriving = conn.arriving, None
        assert arriving is not None
        with suppress(KeyError):  # it was over, and its client does not read
            self.poller.unregister(conn.sock)
        return arriving

    def _hold(self, conn: Connection, size: int) -> None:
        with self._held_lock:
            conn.buffered += size
            self._buffered += size

    def _release(self, conn: Connection) -> None:
        """It has been given a thread, or up."""
        with self._held_lock:
            self._buffered -= conn.buffered
            conn.buffered = 0

    # The end of connections.

    def _make_room(self) -> bool:
        """Of those that keep others from being let in, the one that has been here for longest goes."""
        conn = next(iter((*self._lingering, *self._incoming)), None)
        if conn is None:
            return False
        if conn.arriving:
            self._refuse(conn, "too_slow")
        self._close(conn)
        return True

    def _give_up(self, conn: Connection, code: str = "too_slow") -> None:
        """A request has not come in time, or is more than can be held."""
        self._refuse(conn, code)
        self._forget(conn)
        self._release(conn)
        self._linger(conn)

    def _refuse(self, conn: Connection, code: str) -> None:
        """Answer what no thread will."""
        assert conn.arriving is not None
        PROBLEMS.labels(code).inc()
        request_id = str(uuid4())
        log.info("request", status=KINDS[code].status, problem=code, request_id=request_id, received=len(conn.arriving))
        with suppress(OSError):
            conn.sock.send(early(code, request_id))

    def _linger(self, conn: Connection) -> None:
        """It has its answer. Throw away what it still sends, so that it gets to see it."""
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(conn)
            return
        conn.until = time.monotonic() + LINGER_SECONDS
        conn.lingers = LINGER_BODIES * self._body_limit
        self._lingering[conn] = None
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._throw_away, conn))

    def _throw_away(self, conn: Connection, _client: socket.socket) -> None:
        if conn not in self._lingering:
            return
        data = _receive(conn.sock)
        if data is None:
            return
        conn.lingers -= len(data)
        if not data or conn.lingers < 0:
            self._close(conn)

    def _close(self, conn: Connection) -> None:
        if conn in self._incoming:
            self._forget(conn)
            self._release(conn)
        elif conn in self._lingering:
            del self._lingering[conn]
            self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()


def _receive(sock: socket.socket) -> bytes | None:
    """What has come: nothing (b"") where no more will, None where there is nothing yet."""
    try:
        return sock.recv(_PIECE)
    except BlockingIOError:
        return None
    except OSError:
        return b""


def _one_by_one(pieces: deque[bytes]) -> Iterator[bytes]:
    """What gunicorn's parser reads; each piece is let go as soon as it is read."""
    while pieces:
        yield pieces.popleft()
