"""Connections to Redis."""

from __future__ import annotations

import redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.retry import Retry

#: Seconds that a command may take beyond the time it is asked to block. Redis itself needs far less than a
#: millisecond; this is the network's share, and how long a hung server holds a request.
COMMAND_TIMEOUT = 2.0

#: Seconds to wait for a connection.
CONNECT_TIMEOUT = 2.0


def make_redis(
    url: str, *, blocks_for: float = 0.0, patience: float = COMMAND_TIMEOUT, max_connections: int | None = None
) -> redis.Redis:
    """A client, and its pool of connections, which are opened when they are needed.

    blocks_for: the longest time in seconds that a command will be asked to block (BLPOP). The socket's own timeout must
    exceed it, by `patience`, or the client would take a patient server for a dead one.

    Make it after a process has forked, and one for each process.
    """
    # A Unix socket's connection has no such option: its other end cannot vanish without a word.
    own = {} if url.startswith("unix://") else {"socket_keepalive": True}
    return redis.Redis.from_url(
        url,
        socket_timeout=blocks_for + patience,
        socket_connect_timeout=CONNECT_TIMEOUT,
        **own,
        health_check_interval=30,
        max_connections=max_connections,
        # One more try hides a restarted server from a request, at the cost of at most a twentieth of a second. All
        # that is sent may be sent twice: frames and answers have ids, and the second time changes nothing.
        # Not after a timeout: a hung server would hold the request for twice as long.
        retry=Retry(
            ExponentialWithJitterBackoff(base=0.01, cap=0.05), retries=1, supported_errors=(redis.ConnectionError,)
        ),
    )
