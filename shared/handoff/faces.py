"""Faces of a session in Redis: chips and pictures that wait to be described, and the descriptors to compare with.

All of this is personal data: chips and pictures are removed once described, descriptors when the session ends, and nothing
is written for a session that has ended (`shared.handoff.clean_up`).
Each function except `anchor` takes a client or a pipeline.
"""

from __future__ import annotations

from typing import cast

from redis import Redis

from shared.handoff import clean_up
from shared.redis import keyspace

#: Two commands, because SET takes NX and GET together only from Redis 7.0 on. ARGV: descriptor, milliseconds to live.
_ANCHOR = clean_up.SessionScript("""
redis.call("set", KEYS[2], ARGV[1], "nx", "px", ARGV[2])
return redis.call("get", KEYS[2])
""")


def put(redis: Redis, session_id: str, frame_id: str, chip: bytes) -> None:
    """Leave the chip of a frame (a JPEG) to be compared."""
    clean_up.put(redis, session_id, keyspace.chip(frame_id), chip, keyspace.CHIP_TTL)


def look(redis: Redis, frame_id: str) -> bytes | None:
    """The chip of a frame; None if it has been compared, has expired or its session has ended."""
    return cast("bytes | None", redis.get(keyspace.chip(frame_id)))


def drop(redis: Redis, frame_id: str) -> None:
    """Remove the chip of a frame that has been compared."""
    redis.delete(keyspace.chip(frame_id))


def anchor(redis: Redis, session_id: str, descriptor: bytes, ttl: float) -> bytes:
    """The session's anchor, its first descriptor: `descriptor` becomes the anchor if there is none yet.

    ttl: seconds for which a new anchor is kept.
    """
    first = _ANCHOR(redis, session_id, keyspace.anchor(session_id), descriptor, max(1, int(ttl * 1000)))
    return descriptor if first is None else cast("bytes", first)


def look_anchor(redis: Redis, session_id: str) -> bytes | None:
    """The session's anchor; None if no face of it has been described yet."""
    return cast("bytes | None", redis.get(keyspace.anchor(session_id)))


def put_picture(redis: Redis, session_id: str, picture: bytes) -> None:
    """Leave the encoded picture given at creation to be described."""
    clean_up.put(redis, session_id, keyspace.picture(session_id), picture, keyspace.CHIP_TTL)


def take_picture(redis: Redis, session_id: str) -> bytes | None:
    """The picture given at creation, removed at once so that a second delivery does not describe it again."""
    return cast("bytes | None", redis.getdel(keyspace.picture(session_id)))


def keep_reference(redis: Redis, session_id: str, descriptor: bytes, ttl: float) -> None:
    """Keep the reference, the descriptor of the picture given at creation, for `ttl` seconds."""
    clean_up.put(redis, session_id, keyspace.reference(session_id), descriptor, ttl)


def look_reference(redis: Redis, session_id: str) -> bytes | None:
    """The session's reference; None if no picture was given or it has not been described yet."""
    return cast("bytes | None", redis.get(keyspace.reference(session_id)))
