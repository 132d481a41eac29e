"""Tries whether a Redis takes what the service writes, and says in words why it does not.

A PING says that a server answers. A replica, a full server and one that cannot save answer it too, and take no writes; a
node of a cluster does not run the service's scripts.
"""

from __future__ import annotations

import re

import redis
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ClusterCrossSlotError,
    ClusterDownError,
    MovedError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
)
from redis.sentinel import MasterNotFoundError

from shared.redis import keyspace
from shared.redis.client import Moved
from shared.redis.script import Lua

#: Writes two keys, which the nodes of a cluster would not keep together, and deletes them.
_WRITE = Lua(
    """
for _, key in ipairs(KEYS) do
    redis.call("set", key, "1", "px", 1000)
end
return redis.call("del", unpack(KEYS))
"""
)

CLUSTER = "is a Redis Cluster, in which the service cannot work: name one Redis, or Sentinels that know its primary"

#: What a server says in an error, and what that means; the first that fits. A script's error holds the command's.
_WORDS = (
    (r"CROSSSLOT|CLUSTERDOWN|\bMOVED\b", CLUSTER),
    (r"\bOOM\b|used memory > 'maxmemory'", "is full (maxmemory) and takes no writes: give it more memory"),
    (
        r"READONLY|read only replica|previous master|instance state changed",
        "is a replica and takes no writes: name the primary",
    ),
    (r"MASTERDOWN|Link with MASTER", "is a replica that has lost its primary"),
    (r"MISCONF", "takes no writes because it cannot save to its disk (MISCONF): mend that, or let it save nothing"),
    (r"NOREPLICAS|good replicas", "takes no writes because too few replicas follow it (NOREPLICAS)"),
    (r"NOPERM", "does not let this user write: it needs all commands and keys"),
    (r"max number of clients", "has no connection left (maxclients)"),
    (r"DENIED", "takes no connections from other machines: its protected mode is on"),
)
_KINDS: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    ((ClusterCrossSlotError, ClusterDownError, MovedError), CLUSTER),
    (
        (MasterNotFoundError,),
        "is not known to the Sentinels: none of them answers, or none knows a primary of this name",
    ),
    ((OutOfMemoryError,), _WORDS[1][1]),
    ((ReadOnlyError,), _WORDS[2][1]),
    ((BusyLoadingError,), "is loading its data"),
    ((NoPermissionError,), _WORDS[6][1]),
    ((AuthenticationError,), "refuses the user or the password"),
    ((redis.ConnectionError, redis.TimeoutError), "does not answer"),
)


def try_to_write(client: redis.Redis) -> None:
    """Write something and delete it, in one round trip. Raises RedisError."""
    _WRITE(client, keyspace.TRIED, [])


def what_ails(error: Exception) -> str:
    """The end of a sentence that begins with the server, such as "is full (maxmemory) …"; holds nothing that it said."""
    for pattern, words in _WORDS:
        if re.search(pattern, f"{error}"):
            return words
    for kinds, words in _KINDS:
        if isinstance(error, kinds) and not isinstance(error, Moved):
            return words
    return "does not take writes"


def is_cluster(error: Exception) -> bool:
    """Whether this error tells that the server is a node of a cluster."""
    return what_ails(error) == CLUSTER
