"""Makes clients of Redis with the timeouts and retries that the service needs, which follow the primary when it moves.

A primary may be demoted while its connections stay open (Redis Sentinel, and managed Redis whose name then leads to
another server). It refuses writes from then on and goes on to answer reads, from what it has. So a connection that is
refused a write for that is closed, and with it all that rest in its pool; the next ones ask for the primary again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import redis
from redis.backoff import ExponentialWithJitterBackoff, NoBackoff
from redis.connection import ConnectionPool, SSLConnection, parse_url
from redis.retry import Retry
from redis.sentinel import Sentinel, SentinelConnectionPool, SentinelManagedConnection, SentinelManagedSSLConnection

#: Seconds that a command may take beyond the time for which it is asked to block: how long a hung Redis holds a request.
COMMAND_TIMEOUT = 2.0

#: Seconds to wait for a new connection.
CONNECT_TIMEOUT = 2.0

#: Seconds that one Sentinel may take before the next one is asked.
SENTINEL_TIMEOUT = 0.5

#: How an address of Redis begins.
SCHEMES = ("redis://", "rediss://", "unix://", "redis+sentinel://", "rediss+sentinel://")
SENTINEL_EXAMPLE = "redis+sentinel://:password@host:26379,host2:26379/mymaster/0"

#: Replies that mean "not me, ask for the primary again". Before Redis 7 they stand inside of a script's error.
_MOVED = re.compile(
    r"\b(READONLY|MASTERDOWN|UNBLOCKED)\b|read only replica|instance state changed|Link with MASTER is down"
)


class Moved(redis.ConnectionError):
    """Raised if the server is no primary any more: the connection has been closed."""


class _Following:
    """A connection that is closed when its server turns out not to be the primary."""

    def __init__(self, *args: Any, forget: Callable[[], object] | None = None, **kwargs: Any) -> None:
        """forget: called then; closes the connections that rest in the pool."""
        super().__init__(*args, **kwargs)
        self._forget = forget

    def read_response(self, *args: Any, **kwargs: Any) -> Any:
        """See redis-py; raises Moved, upon which the client connects again and repeats the command."""
        try:
            return super().read_response(*args, **kwargs)  # type: ignore[misc]
        except redis.ResponseError as error:
            if not _MOVED.search(f"{error.status_code or ''} {error}"):
                raise
            self.disconnect()  # type: ignore[attr-defined]
            if self._forget is not None:
                self._forget()
            raise Moved(str(error)) from None


class FollowingConnection(_Following, redis.Connection):
    """A TCP connection that follows the primary."""


class FollowingSSLConnection(_Following, SSLConnection):
    """A TLS connection that follows the primary."""


class FollowingSentinelConnection(_Following, SentinelManagedConnection):
    """A TCP connection to the primary that Sentinel names."""


class FollowingSentinelSSLConnection(_Following, SentinelManagedSSLConnection):
    """A TLS connection to the primary that Sentinel names."""


def make_redis(
    url: str, *, blocks_for: float = 0.0, patience: float = COMMAND_TIMEOUT, max_connections: int | None = None
) -> redis.Redis:
    """A client with a pool of connections, which are opened on first use; one for each process, made after it has forked.

    blocks_for: longest time in seconds for which a command will be asked to block (BLPOP). patience: seconds beyond it after
    which the server counts as hung and the command raises TimeoutError. max_connections: size of the pool; default:
    unlimited.
    """
    pool = make_pool(
        url,
        socket_timeout=blocks_for + patience,
        socket_connect_timeout=CONNECT_TIMEOUT,
        health_check_interval=30,
        max_connections=max_connections,
        # One retry, after at most 0.05 s, hides a restart of the server from a request. Every command may be sent twice:
        # frames and answers have ids, so the second time changes nothing. No retry after a timeout, since a hung server
        # would hold the request for twice as long.
        retry=Retry(
            ExponentialWithJitterBackoff(base=0.01, cap=0.05), retries=1, supported_errors=(redis.ConnectionError,)
        ),
    )
    return redis.Redis.from_pool(pool)


def make_pool(url: str, **options: Any) -> ConnectionPool:
    """A pool of connections that follow the primary, with redis-py's options."""
    # Keepalive notices a peer that has vanished; a Unix socket's peer cannot, and its connection has no such option.
    if not url.startswith("unix://"):
        options["socket_keepalive"] = True
    pool = _sentinel_pool(url, options) if is_sentinel(url) else _pool(url, options)
    if issubclass(pool.connection_class, _Following):
        pool.connection_kwargs["forget"] = lambda: pool.disconnect(inuse_connections=False)
    return pool


def is_sentinel(url: str) -> bool:
    """Whether the address names Sentinels, which know the primary."""
    return url.startswith(("redis+sentinel://", "rediss+sentinel://"))


def check_address(url: str) -> None:
    """Raise ValueError, with a sentence that holds no secret, for an address that Redis' client would not take."""
    if is_sentinel(url):
        sentinels_of(url)
    elif not url.startswith("unix://") and not re.fullmatch(r"(/\d*)?", urlsplit(url).path):
        raise ValueError("must end with the number of a database, as in redis://:password@host:6379/0")
    try:
        make_redis(url).connection_pool.make_connection()
    except TypeError as error:
        name = re.search(r"argument '(\w+)'", str(error))
        which = f"the parameter `{name[1]}`" if name else "a parameter"
        raise ValueError(f"has {which}, which Redis' client does not know: take it out") from None
    except (redis.RedisError, ValueError):
        raise ValueError("has a wrong parameter after its question mark") from None


def sentinels_of(url: str) -> tuple[list[tuple[str, int]], str, dict[str, Any], dict[str, Any]]:
    """What an address of Sentinels says: their addresses, the primary's name, options for Redis, and options for them.

    Raises ValueError with a sentence.
    """
    # By hand: urlsplit takes no more than one host in brackets, and in some releases none after another host.
    before, _, query = url.partition("://")[2].partition("?")
    netloc, _, path = before.partition("/")
    name, _, database = path.strip("/").partition("/")
    if not name or not re.fullmatch(r"\d*", database):
        raise ValueError(f"must name the primary and the number of a database, as in {SENTINEL_EXAMPLE}")
    userinfo, _, hosts = netloc.rpartition("@")
    addresses = [_host_and_port(host) for host in hosts.split(",") if host]
    if not addresses:
        raise ValueError(f"must name at least one Sentinel, as in {SENTINEL_EXAMPLE}")
    # The parameters as redis-py reads them, from an address with one host.
    options = parse_url(f"redis{'s' if url.startswith('rediss') else ''}://host/?{query}")  # type: ignore[no-untyped-call]
    options.pop("host", None)
    options.pop("connection_class", None)
    user, _, password = userinfo.partition(":")
    options |= {"username": unquote(user) or None, "password": unquote(password) or None, "db": int(database or 0)}
    theirs = [key for key in options if key.startswith("sentinel_")]
    own: dict[str, Any] = {key.removeprefix("sentinel_"): options.pop(key) for key in theirs}
    if url.startswith("rediss"):
        own |= {"ssl": True} | {key: value for key, value in options.items() if key.startswith("ssl_")}
    own |= {"socket_timeout": SENTINEL_TIMEOUT, "socket_connect_timeout": SENTINEL_TIMEOUT}
    own["retry"] = Retry(NoBackoff(), 0)  # the next Sentinel is asked instead
    return addresses, unquote(name), options, own


def _host_and_port(text: str) -> tuple[str, int]:
    found = re.fullmatch(r"\[?([^]]*?)]?(?::(\d+))?", text)
    assert found is not None
    return found[1], int(found[2] or 26379)


def _pool(url: str, options: dict[str, Any]) -> ConnectionPool:
    pool = ConnectionPool.from_url(url, **options)
    following = {redis.Connection: FollowingConnection, SSLConnection: FollowingSSLConnection}
    pool.connection_class = following.get(pool.connection_class, pool.connection_class)
    return pool


def _sentinel_pool(url: str, options: dict[str, Any]) -> ConnectionPool:
    addresses, name, more, own = sentinels_of(url)
    tls = url.startswith("rediss")
    sentinel = Sentinel(addresses, sentinel_kwargs=own)  # type: ignore[no-untyped-call]
    return SentinelConnectionPool(  # type: ignore[no-untyped-call]
        name,
        sentinel,
        connection_class=FollowingSentinelSSLConnection if tls else FollowingSentinelConnection,
        ssl=tls,
        check_connection=False,
        **options,
        **more,
    )
