"""Calls a webhook's endpoint by one HTTP request, unless its address is inside the private network."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlsplit

from shared.resolving import resolve
from shared.webhooks import fault_of, is_outside

#: Seconds to connect, and between two bytes of the answer.
CALL_TIMEOUT = 5.0
#: Seconds for the whole call, from the look-up of the name on, so that an endpoint that sends a byte now and then does not
#: hold a thread.
WHOLE = 15.0


class Refused(Exception):
    """Raised for an endpoint that must not be called."""


class _Connection(http.client.HTTPConnection):
    """A connection to an address that has been checked; a second look-up by the library might give another address."""

    def __init__(self, host: str, port: int, *, tls: bool, private: bool) -> None:
        super().__init__(host, port, timeout=CALL_TIMEOUT)
        self._tls = tls
        self._private = private
        self._deadline = time.monotonic() + WHOLE

    def connect(self) -> None:
        """Connect to the first of the name's addresses that answers.

        Raises Refused if any of them is inside the private network, and OSError if none of the first three answers.
        """
        addresses = resolve(self.host, self.port)
        if not self._private and not all(is_outside(address) for address in addresses):
            raise Refused("its name leads to an address inside the network")
        error: OSError | None = None
        for address in addresses[:3]:
            try:
                self.sock = socket.create_connection((address, self.port), self._left())
                break
            except OSError as failed:
                error = failed
        else:
            raise error or OSError("no address")
        self.sock.settimeout(self._left())
        if self._tls:
            # The certificate is checked against the name, not the address. The socket's timeout is the whole handshake's.
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)

    def _left(self) -> float:
        """Seconds that the next step may take. Raises TimeoutError if the whole call has taken too long."""
        left = min(CALL_TIMEOUT, self._deadline - time.monotonic())
        if left <= 0:
            raise TimeoutError("the call took too long")
        return left


def call(url: str, body: bytes, headers: Mapping[str, str], *, private: bool) -> int:
    """Post `body` to `url` and return the answer's HTTP status; redirects are not followed, the answer's body is not read.

    private: whether plain http and addresses inside the private network may be called. Raises Refused, OSError or
    http.client.HTTPException.
    """
    if fault := fault_of(url, private=private):
        raise Refused(f"its URL {fault}")
    parts = urlsplit(url)
    assert parts.hostname is not None
    tls = parts.scheme == "https"
    connection = _Connection(parts.hostname, parts.port or (443 if tls else 80), tls=tls, private=private)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    watch = threading.Timer(WHOLE, _cut, [connection])
    watch.daemon = True
    watch.start()
    try:
        connection.request("POST", path, body, {"Host": parts.netloc, "Connection": "close", **headers})
        return connection.getresponse().status
    finally:
        watch.cancel()
        connection.close()


def _cut(connection: _Connection) -> None:
    with suppress(OSError, AttributeError):
        connection.sock.shutdown(socket.SHUT_RDWR)
