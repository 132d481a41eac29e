"""A threaded gunicorn worker that gives a request to a thread only when the whole request has arrived.

gunicorn reads heads and bodies in its threads: a client that sends a byte a second holds a thread for as long as it likes,
and as many such clients as there are threads stop the service. A balancer that buffers requests (nginx does) keeps them
away; a platform's router does not. Here the process's loop reads all connections, and a slow client costs a descriptor and
the bytes that it has sent.

- A request must arrive in the time that `api.serving.slow_clients` gives it; else 408 (`too_slow`).
- The process holds at most `MOST_BUFFERED` bytes of requests that have no thread yet. Beyond that the largest one gives
  way (503, `unavailable`). One of the `worker_connections` is kept free: the connection that has been awaited longest gives
  way. Honest requests are small and arrive in a moment.
- A request whose head announces too large a body is answered at once; the rest of it is read and dropped.
- The loop itself sends the refusals of the app's door (`app.extensions["door"]`, see `api.serving.door`).
- An answer that its client does not read waits in the system's buffer, not in a thread: the largest answer fits into the
  buffer, and the connection's next request waits until there is room for another answer.

Two more things differ from gunicorn. Kept connections are in one list with the others, ordered by age. And a connection
that ends is lingered on without blocking: gunicorn waits in the loop, for up to two seconds, until the client hangs up.
docs/adr/0008 says why this is not another server.
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
from gunicorn.http import errors
from gunicorn.http.parser import RequestParser
from gunicorn.util import write_nonblock
from gunicorn.workers.gthread import TConn

from api.headers import USUAL
from api.problems import KINDS, early
from api.serving import slow_clients
from api.serving.arriving import Arriving
from api.serving.draining import DrainingWorker
from api.uploads import body_limit
from shared.settings import get_settings
from shared.telemetry.metrics.table import PROBLEMS

#: Seconds after the beginning of a stop: for requests that have begun to arrive, and for connections without a request.
STOPPING, STOPPING_IDLE = 3.0, 2.0
#: What is read and dropped of a client that still sends when it has its answer, as a multiple of the largest body, and in
#: seconds: closing at once would reset the connection, and the client would not see the answer.
LINGER_BODIES, LINGER_SECONDS = 4, 5.0
#: Bytes of the system's buffer for answers, more than the largest one has; and seconds that a thread waits for room in it.
ANSWER_BUFFER, ANSWER_SECONDS = 256 * 1024, 10.0
#: The problem for each error of gunicorn's parser; the app's own faulty headers are no fault of the client.
_REFUSED: tuple[tuple[type[Exception], str], ...] = (
    (errors.InvalidResponseHeader, "internal_error"),
    (errors.InvalidResponseHeaderName, "internal_error"),
    (errors.ConfigurationProblem, "internal_error"),
    (errors.LimitRequestLine, "uri_too_long"),
    (errors.LimitRequestHeaders, "head_too_large"),
    (errors.UnsupportedTransferCoding, "coding_unknown"),
    (errors.ParseException, "bad_request"),
)
#: The header by which `api.base_path` learns the path of a proxy, in gunicorn's writing.
_PREFIX = "X-FORWARDED-PREFIX"
#: Bytes read at a time, and seconds between two looks for late connections.
_PIECE, _LOOK = 64 * 1024, 0.5

log = structlog.get_logger(__name__)


class Connection(TConn):
    """A connection, with the request that arrives on it."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.initialized = True  # gunicorn would make a parser; `hand_over` makes one for each request
        self.arriving: Arriving | None = None
        #: Monotonic times: of the request's first byte, None before it; and at which the connection is given up.
        self.began: float | None = None
        self.until = 0.0
        #: About the request that was handed to a thread: whether it is whole, the monotonic time at which the last byte
        #: arrived, and the bytes of the next request that arrived with it.
        self.whole = True
        self.complete_at = 0.0
        self.rest = b""
        #: Bytes counted in the worker's `_buffered`.
        self.buffered = 0
        #: Bytes that may still be read and dropped while lingering.
        self.droppable = 0

    def hand_over(self, arriving: Arriving) -> None:
        """Give gunicorn's parser the request that has arrived, in place of the socket."""
        self.whole, self.complete_at = arriving.whole, time.monotonic()
        pieces, self.rest = arriving.split()
        self.parser = RequestParser(self.cfg, _one_by_one(pieces), self.client)

    def reads(self) -> bool:
        """Whether the client has read so much of the earlier answers that there is room for another."""
        try:
            (unsent,) = struct.unpack("i", fcntl.ioctl(self.sock, termios.TIOCOUTQ, bytes(4)))
        except OSError:
            return True
        return bool(unsent <= ANSWER_BUFFER // 4)


class Refuses(Protocol):
    """The door of an app (`api.serving.door`)."""

    def refusal(self, head: bytes) -> tuple[bytes, bool] | None:
        """The refusal of a whole request with this head, and whether another may follow; None if the app must see it."""


class ReceivingWorker(DrainingWorker):
    """The worker class that ops/gunicorn.conf.py names: reads requests in the loop, answers them in threads."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        #: Connections whose request is awaited or arriving, the longest awaited first; and those that are only drained.
        self._incoming: dict[Connection, None] = {}
        self._lingering: dict[Connection, None] = {}
        self._buffered = 0
        self._held_lock = threading.Lock()
        self._looked = 0.0
        self._stopped: float | None = None
        cfg = self.cfg
        self._head_limit = cfg.limit_request_fields * (cfg.limit_request_field_size + 2) + 4 + cfg.limit_request_line
        self._body_limit = 0
        self._base_path = ""
        self._door: Refuses | None = None

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Refuse a configuration that this worker cannot serve; called once, before the fork."""
        if cfg.is_ssl or cfg.http_protocols != ["h1"] or cfg.protocol != "http" or cfg.proxy_protocol != "off":
            raise ConfigError(
                "This worker speaks plain HTTP/1: put a proxy before it for TLS, HTTP/2 or the proxy protocol."
            )
        super().check_config(cfg, log)

    def init_process(self) -> None:
        """Read the limits from the settings; called once in the process, after the fork."""
        settings = get_settings()
        self._body_limit = body_limit(settings)
        self._base_path = settings.base_path
        super().init_process()

    def load_wsgi(self) -> None:
        """Load the app, and its door if it has one."""
        super().load_wsgi()
        self._door = getattr(self.wsgi, "extensions", {}).get("door")

    # --- called by gunicorn in its loop

    def accept(self, listener: socket.socket) -> None:
        """Accept a connection and await its first request in the loop."""
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:
            # Out of descriptors. gunicorn would end the process here, and the clients that hold them would stay.
            if error.errno not in (errno.EMFILE, errno.ENFILE) or not self._make_room():
                raise
            return
        self.nr_conns += 1
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, ANSWER_BUFFER)
        conn = Connection(self.cfg, client, address, listener.getsockname())
        self._await(conn)
        self._on_readable(conn, client)  # the request has mostly arrived already
        if self.nr_conns >= self.worker_connections:
            self._make_room()

    def finish_request(self, conn: Connection, done: Any) -> None:
        """Await the next request, or end the connection, after a thread has answered."""
        self._release(conn)
        if done.cancelled() or done.exception() is not None or not done.result():
            self._linger(conn)
        else:
            self._await(conn)

    def murder_pending(self) -> None:
        """Give up connections that are late; called at each turn of the loop."""
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

    # --- called by gunicorn in a thread

    def handle_request(self, req: Any, conn: Connection) -> bool:
        """Answer a request; returns whether another may follow on the connection."""
        self._release(conn)
        conn.sock.settimeout(ANSWER_SECONDS)
        req.body.complete_at = conn.complete_at  # read by api.context
        req._expected_100_continue = False  # noqa: SLF001 - the loop has sent 100 Continue, or the answer refuses
        # gunicorn takes a proxy's SCRIPT_NAME off the path, and would refuse a path that the proxy has taken it off already.
        req.headers = [
            (_PREFIX if name == "SCRIPT_NAME" and not req.path.startswith(f"{value.rstrip('/')}/") else name, value)
            for name, value in req.headers
        ]
        if not conn.whole:
            req.force_close()
        try:
            follows = super().handle_request(req, conn)
        except TimeoutError:  # the client does not read the answer
            return False
        if not follows:
            return False
        with suppress(Exception):  # gunicorn finds the rest of the body malformed
            while req.body.read(_PIECE):
                pass
            # If gunicorn and `Arriving` disagree about where the request ends, nothing may follow it.
            return not conn.parser.unreader.read()
        return False

    def handle_error(self, req: Any, client: socket.socket, addr: object, exc: Exception) -> None:  # noqa: ARG002 - gunicorn's
        """Answer a request that gunicorn's parser refuses, or that failed outside of the app.

        gunicorn's own page has no security headers, and its log line has the client's address and bytes.
        """
        code = next((code for kind, code in _REFUSED if isinstance(exc, kind)), "internal_error")
        request_id = self._note(code, fault=type(exc).__name__)
        if code == "internal_error":
            log.error("request.failed", request_id=request_id, exc_info=exc)
        with suppress(OSError):
            write_nonblock(client, early(code, request_id, base_path=self._base_path, more=USUAL))

    # --- requests that are arriving

    def _await(self, conn: Connection) -> None:
        conn.sock.setblocking(False)
        self._begin(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._on_readable, conn))
        rest, conn.rest = conn.rest, b""
        if rest:
            self._take(conn, rest)

    def _begin(self, conn: Connection) -> None:
        """Await the connection's next request from now on."""
        conn.arriving = Arriving(head_limit=self._head_limit, body_limit=self._body_limit)
        conn.began = None
        conn.until = time.monotonic() + self.cfg.keepalive
        self._incoming.pop(conn, None)  # to stand at the end
        self._incoming[conn] = None

    def _on_readable(self, conn: Connection, _client: socket.socket) -> None:
        if conn not in self._incoming:
            return  # given up in this turn of the loop
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
            self._incoming[conn] = self._incoming.pop(conn)  # to the end: connections before it began earlier
        arriving.take(data)
        conn.until = slow_clients.due(conn.began, len(arriving))
        self._hold(conn, len(data))
        if self._buffered > slow_clients.MOST_BUFFERED:
            largest = max(self._incoming, key=lambda c: len(c.arriving or ()))
            self._give_up(largest, "unavailable")
            if largest is conn:
                return
        if arriving.over:
            if conn.reads():
                if not self._turn_away(conn, arriving):
                    self._hand_over(conn)
            else:
                self.poller.unregister(conn.sock)  # until the client reads; murder_pending looks
        elif arriving.asks:
            arriving.asks = False
            with suppress(OSError):
                conn.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _turn_away(self, conn: Connection, arriving: Arriving) -> bool:
        """Send the door's refusal, if there is one; returns whether it was sent."""
        # The app answers pipelined requests, and all requests while the process stops.
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
        if sent < len(answer):  # the buffer has room for far more: the client has gone
            self._close(conn)
        elif follows:
            self._begin(conn)
        else:
            self._forget(conn)
            self._linger(conn)
        return True

    def _hand_over(self, conn: Connection) -> None:
        """Give the request to a thread."""
        conn.hand_over(self._forget(conn))
        self.enqueue_req(conn)

    def _forget(self, conn: Connection) -> Arriving:
        """Stop reading the connection and return its request; the bytes stay counted until `_release`."""
        del self._incoming[conn]
        arriving, conn.arriving = conn.arriving, None
        assert arriving is not None
        with suppress(KeyError):  # not registered while the client does not read
            self.poller.unregister(conn.sock)
        return arriving

    def _hold(self, conn: Connection, size: int) -> None:
        """Count `size` more bytes as buffered."""
        with self._held_lock:
            conn.buffered += size
            self._buffered += size

    def _release(self, conn: Connection) -> None:
        """Stop counting the connection's bytes: a thread has them, or nobody wants them."""
        with self._held_lock:
            self._buffered -= conn.buffered
            conn.buffered = 0

    # --- the end of connections

    def _make_room(self) -> bool:
        """Close the connection that has lingered or been awaited longest; returns whether there was one."""
        conn = next(iter((*self._lingering, *self._incoming)), None)
        if conn is None:
            return False
        if conn.arriving:
            self._refuse(conn, "too_slow")
        self._close(conn)
        return True

    def _give_up(self, conn: Connection, code: str = "too_slow") -> None:
        """Refuse a request that is late or too much to hold, and end its connection."""
        self._refuse(conn, code)
        self._forget(conn)
        self._release(conn)
        self._linger(conn)

    def _refuse(self, conn: Connection, code: str) -> None:
        """Send a problem to a request that gets no thread."""
        assert conn.arriving is not None
        request_id = self._note(code, received=len(conn.arriving))
        with suppress(OSError):
            conn.sock.send(early(code, request_id, base_path=self._base_path, more=USUAL))

    def _note(self, code: str, **facts: object) -> str:
        """Count and log a request that the app does not see, without its client's address; returns the request's id."""
        PROBLEMS.labels(code).inc()
        request_id = str(uuid4())
        log.info("request", status=KINDS[code].status, problem=code, request_id=request_id, **facts)
        return request_id

    def _linger(self, conn: Connection) -> None:
        """End a connection after its answer: read and drop what it still sends, so that it gets to see the answer."""
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(conn)
            return
        conn.until = time.monotonic() + LINGER_SECONDS
        conn.droppable = LINGER_BODIES * self._body_limit
        self._lingering[conn] = None
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._drop, conn))

    def _drop(self, conn: Connection, _client: socket.socket) -> None:
        if conn not in self._lingering:
            return
        data = _receive(conn.sock)
        if data is None:
            return
        conn.droppable -= len(data)
        if not data or conn.droppable < 0:
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
    """The bytes that have arrived; b"" if no more will, None if there are none yet."""
    try:
        return sock.recv(_PIECE)
    except BlockingIOError:
        return None
    except OSError:
        return b""


def _one_by_one(pieces: deque[bytes]) -> Iterator[bytes]:
    """The pieces for gunicorn's parser; each one is freed as soon as it is read."""
    while pieces:
        yield pieces.popleft()
