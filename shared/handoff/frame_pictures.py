"""Claims: pictures of frames that wait in Redis for a worker, while the message carries only the frame's id.

A picture is removed when its frame is answered, not when it is read: a message that is delivered again, because its worker
was killed, still finds it. A picture that no worker fetches expires.
Each function takes a client or a pipeline.
"""

from __future__ import annotations

from typing import cast

from redis import Redis

from shared.redis import keyspace


def put(redis: Redis, frame_id: str, picture: bytes, ttl: float) -> None:
    """Leave the picture of a frame for at most `ttl` seconds."""
    redis.set(keyspace.frame(frame_id), picture, px=max(1, int(ttl * 1000)))


def look(redis: Redis, frame_id: str) -> bytes | None:
    """The picture of a frame; None if the frame has been answered or the picture has expired. On a pipeline: its reply."""
    return cast("bytes | None", redis.get(keyspace.frame(frame_id)))


def drop(redis: Redis, frame_id: str) -> None:
    """Remove the picture of a frame that has been answered, or that no request waits for any more."""
    redis.delete(keyspace.frame(frame_id))
