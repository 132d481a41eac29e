"""Makes clients of Redis with the timeouts and retries that the service needs."""

from __future__ import annotations

import redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.retry import Retry

#: Seconds that a command may take beyond the time for which it is asked to block: how long a hung Redis holds a request.
COMMAND_TIMEOUT = 2.0

#: Seconds to wait for a new connection.
CONNECT_TIMEOUT = 2.0


def make_redis(
    url: str, *, blocks_for: float = 0.0, patience: float = COMMAND_TIMEOUT, max_connections: int | None = None
) -> redis.Redis:
    """A client with a pool of connections, which are opened on first use; one for each process, made after it has forked.

    blocks_for: longest time in seconds for which a command will be asked to block (BLPOP). patience: seconds beyond it after
    which the server counts as hung and the command raises TimeoutError. max_connections: size of the pool; default:
    unlimited.
    """
    # Keepalive notices a peer that has vanished; a Unix socket's peer cannot, and its connection has no such option.
    keepalive = {} if url.startswith("unix://") else {"socket_keepalive": True}
    return redis.Redis.from_url(
        url,
        socket_timeout=blocks_for + patience,
        socket_connect_timeout=CONNECT_TIMEOUT,
        **keepalive,
        health_check_interval=30,
        max_connections=max_connections,
        # One retry, after at most 0.05 s, hides a restart of the server from a request. Every command may be sent twice:
        # frames and answers have ids, so the second time changes nothing. No retry after a timeout, since a hung server
        # would hold the request for twice as long.
        retry=Retry(
            ExponentialWithJitterBackoff(base=0.01, cap=0.05), retries=1, supported_errors=(redis.ConnectionError,)
        ),
    )
