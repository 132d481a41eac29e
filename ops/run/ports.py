"""Ports for servers that are started here: none that the system may give to a client meanwhile.

Asked for port 0, a system gives one of those that it also gives to outgoing connections. Such a port is free only until a
client gets it: before its server listens, or while that is started again. A client that tries to reach the server in that
time can even be given the server's own port, and is then connected with itself.
"""

from __future__ import annotations

import secrets
import socket

#: Above those that services are known by, below those that Linux (from 32768), macOS and Windows (from 49152) give out.
OURS = range(10240, 32768)

_given: set[int] = set()


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on, and that was not given before by this process."""
    for _ in range(1000):
        port = secrets.choice(OURS)
        if port not in _given and _is_free(host, port):
            _given.add(port)
            return port
    raise RuntimeError(f"no free port between {OURS[0]} and {OURS[-1]} on {host}")


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
