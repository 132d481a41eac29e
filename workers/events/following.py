"""kombu's transport for Redis over the service's own connections, which follow the primary (`shared.redis.client`).

So EVENTS_URL is read as REDIS_URL is, Sentinels included, and a primary that was demoted is left by kombu too.
"""

from __future__ import annotations

from typing import Any

from kombu.transport import redis as stock
from redis.connection import ConnectionPool

from shared.redis.client import make_pool


class FollowingChannel(stock.Channel):
    """A channel whose connections lead to the address in the transport's option `address`."""

    from_transport_options = (*stock.Channel.from_transport_options, "address")  # type: ignore[assignment]
    address = ""

    def _get_pool(self, asynchronous: bool = False) -> ConnectionPool:
        pool = make_pool(
            self.address,
            socket_timeout=self.socket_timeout,
            socket_connect_timeout=self.socket_connect_timeout,
            health_check_interval=self.health_check_interval,
        )
        self.keyprefix_fanout = self.keyprefix_fanout.format(db=pool.connection_kwargs.get("db", 0))
        if asynchronous:
            pool.connection_class = _polled(pool.connection_class, self)
        return pool


class FollowingTransport(stock.Transport):
    """kombu's transport with these channels."""

    Channel = FollowingChannel


def _polled(connection_class: Any, channel: Any) -> Any:
    """A class of connections that leave kombu's poller when they are closed, as its own do."""

    class Polled(connection_class):
        def disconnect(self, *args: Any, **kwargs: Any) -> None:
            super().disconnect(*args, **kwargs)
            if channel._registered:  # noqa: SLF001 - as kombu's `_connparams` does it
                channel._on_connection_disconnect(self)  # noqa: SLF001

    return Polled
