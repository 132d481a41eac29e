"""Which frames of a session have arrived and are not answered yet.

The workers ask this before they let a frame time a challenge out: a frame that arrived in time may still be under way
behind one that arrived too late. Each writing function takes a client or a pipeline.
"""

from __future__ import annotations

from redis import Redis

from shared import keyspace
from shared.liveness.session import SETTLE


def enter(redis: Redis, session_id: str, frame_id: str, arrived_at: float) -> None:
    """A frame has arrived: to be told before its message is sent, and in the same moment as `arrived_at` is taken."""
    key = keyspace.inflight(session_id)
    redis.zadd(key, {frame_id: arrived_at})
    redis.expire(key, keyspace.INFLIGHT_TTL)


def leave(redis: Redis, session_id: str, frame_id: str) -> None:
    """A frame has been answered, or nobody waits for it any more."""
    redis.zrem(keyspace.inflight(session_id), frame_id)


def count_earlier(redis: Redis, session_id: str, arrived_at: float) -> int:
    """How many frames are under way that arrived before `arrived_at`. On a pipeline the reply is what counts.

    Those that arrived more than SETTLE seconds before are not counted: their requests have been told 503, and whoever
    should have removed them has died.
    """
    # "(" excludes the bound itself: the frame that asks is not earlier than itself.
    return redis.zcount(keyspace.inflight(session_id), arrived_at - SETTLE, f"({arrived_at!r}")
