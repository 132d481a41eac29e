"""Two real Redis servers of which one is the primary, and the two ways in which clients find it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Protocol

import redis

from ops.lab.rig.servers import Sentinel
from tests.integration.redis_server import RedisServer, running_server
from tests.integration.starting import started
from tests.integration.tls import copy
from tests.waiting import PATIENCE, until


class Pair(Protocol):
    """A primary and its replica."""

    #: The address that clients are given.
    url: str

    def fail_over(self) -> None:
        """Make the replica the primary, and the primary its replica; returns when both are."""


class Name:
    """A name that leads to one of two servers, as a managed Redis has it; connections that are open stay where they are.

    A port of this machine stands in for the name: it is looked up with each new connection, as a name is.
    """

    def __init__(self, primary: RedisServer, replica: RedisServer) -> None:
        self._servers = [primary, replica]
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._listening.getsockname()[1]}/0"
        threading.Thread(target=self._serve, daemon=True).start()

    def fail_over(self) -> None:
        """See `Pair`; a moment passes between the demotion and the name's move."""
        old, new = self._servers
        with redis.Redis.from_url(old.url) as demoted, redis.Redis.from_url(new.url) as promoted:
            demoted.replicaof(new.host, new.port)
            promoted.replicaof("NO", "ONE")
        self._servers = [new, old]
        until(lambda: _follows(old, new))

    def close(self) -> None:
        """Accept no new connections."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._pass_on, args=(client, self._servers[0]), daemon=True).start()

    def _pass_on(self, client: socket.socket, server: RedisServer) -> None:
        with suppress(OSError), client, socket.create_connection((server.host, server.port)) as inner:
            back = threading.Thread(target=copy, args=(inner, client), daemon=True)
            back.start()
            copy(client, inner)
            back.join(PATIENCE)


class Watched:
    """Two servers that a Sentinel watches."""

    def __init__(self, sentinel: Sentinel, primary: RedisServer, replica: RedisServer) -> None:
        self._sentinel = redis.Redis(sentinel.host, sentinel.port)
        self._servers = [primary, replica]
        self.url = sentinel.url
        until(lambda: len(self._sentinel.sentinel_slaves("mymaster")) == 1)

    def fail_over(self) -> None:
        """See `Pair`; possible once within a Sentinel's patience."""
        old, new = self._servers
        until(self._begun)
        until(lambda: self._sentinel.sentinel_get_master_addr_by_name("mymaster")[1] == new.port)
        with redis.Redis.from_url(old.url) as demoted:
            demoted.replicaof(new.host, new.port)  # as the Sentinel does some ten seconds later
        self._servers = [new, old]
        until(lambda: _follows(old, new))

    def kill(self) -> None:
        """Kill the primary; the Sentinel notices it after a second."""
        self._servers[0].kill()

    def close(self) -> None:
        """Close the connection to the Sentinel."""
        self._sentinel.close()

    def _begun(self) -> bool:
        with suppress(redis.ResponseError):  # NOGOODSLAVE, before it has heard of the replica
            return bool(self._sentinel.execute_command("SENTINEL", "FAILOVER", "mymaster", once=True))
        return False


def _follows(replica: RedisServer, primary: RedisServer) -> bool:
    with redis.Redis.from_url(replica.url) as client:
        seen = client.info("replication")
    return (seen["role"], seen.get("master_port"), seen.get("master_link_status")) == ("slave", primary.port, "up")


@contextmanager
def pair(kind: str) -> Iterator[Name | Watched]:
    """Both servers, and a name or a Sentinel."""
    with running_server() as primary, running_server() as replica:
        with redis.Redis.from_url(replica.url) as client:
            client.replicaof(primary.host, primary.port)
        until(lambda: _follows(replica, primary))
        if kind == "name":
            with closing(Name(primary, replica)) as name:
                yield name
            return

        def watching(directory: Path) -> Sentinel:
            sentinel = Sentinel(directory)
            sentinel.watched = primary
            return sentinel

        with started(watching) as sentinel, closing(Watched(sentinel, primary, replica)) as watched:
            yield watched
