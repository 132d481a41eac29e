"""Reference pictures that wait to be described: a bounded number, so that they cannot hold up what else the worker does.

Each function takes a client or a pipeline, except `full`.
"""

from __future__ import annotations

from redis import Redis

from shared.redis import keyspace

#: Most reference pictures that wait at once; a worker describes a few of them a second.
MOST = 32


def full(redis: Redis, at: float) -> bool:
    """Whether as many reference pictures wait as may; at: the service's time."""
    return redis.zcount(keyspace.REFERENCES, at - keyspace.REFERENCE_WAITS, "+inf") >= MOST


def enter(redis: Redis, session_id: str, at: float) -> None:
    """Count the reference picture of a session as waiting, until a worker takes it or its message is too old."""
    redis.zremrangebyscore(keyspace.REFERENCES, "-inf", at - keyspace.REFERENCE_WAITS)
    redis.zadd(keyspace.REFERENCES, {session_id: at})
    redis.expire(keyspace.REFERENCES, keyspace.REFERENCE_WAITS)


def leave(redis: Redis, session_id: str) -> None:
    """Take the reference picture of a session as described, or as gone."""
    redis.zrem(keyspace.REFERENCES, session_id)
