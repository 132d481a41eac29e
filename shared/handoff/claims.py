"""Pictures on their way to a worker: claim checks.

The message carries a frame's id, the picture waits in Redis under it. It is not taken out when it is read but when it
is answered, so that a message that is delivered again (its worker was killed) still finds it; if nobody comes, it
expires.
Each function takes a client or a pipeline.
"""

from __future__ import annotations

from typing import cast

from redis import Redis

from shared.redis import keyspace


def put(redis: Redis, frame_id: str, picture: bytes, ttl: float) -> None:
    """Leave a picture, for `ttl` seconds at most."""
    redis.set(keyspace.frame(frame_id), picture, px=max(1, int(ttl * 1000)))


def look(redis: Redis, frame_id: str) -> bytes | None:
    """The picture; None if it has been answered or has expired. On a pipeline the reply is what counts."""
    return cast("bytes | None", redis.get(keyspace.frame(frame_id)))


def drop(redis: Redis, frame_id: str) -> None:
    """Remove a picture: it has been answered, or nobody waits for it any more."""
    redis.delete(keyspace.frame(frame_id))
