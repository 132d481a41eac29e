"""Free ports for servers, outside the range from which the system takes the ports of outgoing connections.

Port 0 gives a port of that range. It may be taken by an outgoing connection before its server listens, or while the server
is restarted. A client that tries to reach the server at that moment can even get the server's own port, and is then
connected with itself.
"""

from __future__ import annotations

import secrets
import socket

#: Above the well-known ports, below those of outgoing connections: Linux from 32768, macOS and Windows from 49152.
OURS = range(10240, 32768)

_given: set[int] = set()


def free_port(host: str = "127.0.0.1", *, also: int = 0) -> int:
    """A port that nobody listens on and that this process has not been given before. Raises RuntimeError.

    also: how far above it lies a second port that the server listens on, for which the same holds.
    """
    for _ in range(1000):
        port = secrets.choice(OURS)
        ports = {port, port + also}
        if all(each in OURS and each not in _given and _is_free(host, each) for each in ports):
            _given.update(ports)
            return port
    raise RuntimeError(f"no free port between {OURS[0]} and {OURS[-1]} on {host}")


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
