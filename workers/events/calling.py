"""One call to a webhook's endpoint, to no address inside the network."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlsplit

from shared.webhooks import fault_of, is_outside

#: Seconds to connect, and between two signs of life of the endpoint.
CALL_TIMEOUT = 5.0
#: Seconds for all of a call: an endpoint that sends a byte now and then must not hold a thread.
WHOLE = 15.0


class Refused(Exception):
    """The endpoint must not be called."""


class _Connection(http.client.HTTPConnection):
    """To an address that was looked up and looked at: a second look-up, by the library, might give another."""

    def __init__(self, host: str, port: int, *, tls: bool, private: bool) -> None:
        super().__init__(host, port, timeout=CALL_TIMEOUT)
        self._tls = tls
        self._private = private

    def connect(self) -> None:
        """Connect, to the first of the name's addresses that answers. Raises Refused if any of them is inside."""
        found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if not self._private and not all(is_outside(address) for address in addresses):
            raise Refused("its name leads to an address inside the network")
        error: OSError | None = None
        for address in addresses[:3]:
            try:
                self.sock = socket.create_connection((address, self.port), CALL_TIMEOUT)
                break
            except OSError as failed:
                error = failed
        else:
            raise error or OSError("no address")
        if self._tls:
            # The certificate must be the name's, not the address's.
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)


def call(url: str, body: bytes, headers: Mapping[str, str], *, private: bool) -> int:
    """Post `body`; the answer's HTTP status, whatever it is: nothing is followed, and its body is not read.

    private: whether addresses inside the network may be called. Raises Refused, OSError or http.client.HTTPException.
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
