"""Faces on their way to be compared, and whose face a session began with.

Personal data: all of it is gone within seconds of its use, and with its session at the latest.
Each function but `anchor` takes a client or a pipeline.
"""

from __future__ import annotations

from typing import cast

from redis import Redis

from shared.handoff import endings
from shared.redis import keyspace

#: Not SET … NX GET in one: Redis can only from 7.0 on. ARGV: descriptor, milliseconds.
_ANCHOR = endings.SessionScript("""
redis.call("set", KEYS[2], ARGV[1], "nx", "px", ARGV[2])
return redis.call("get", KEYS[2])
""")


def put(redis: Redis, session_id: str, frame_id: str, chip: bytes) -> None:
    """Leave the face of a frame to be compared."""
    endings.put(redis, session_id, keyspace.chip(frame_id), chip, keyspace.CHIP_TTL)


def look(redis: Redis, frame_id: str) -> bytes | None:
    """It; None if it has been compared or has expired."""
    return cast("bytes | None", redis.get(keyspace.chip(frame_id)))


def drop(redis: Redis, frame_id: str) -> None:
    """It has been compared."""
    redis.delete(keyspace.chip(frame_id))


def anchor(redis: Redis, session_id: str, descriptor: bytes, ttl: float) -> bytes:
    """The descriptor that others are compared with: the session's first, which is this one if there is none yet.

    ttl: seconds for which the first is kept.
    """
    first = _ANCHOR(redis, session_id, keyspace.anchor(session_id), descriptor, max(1, int(ttl * 1000)))
    return descriptor if first is None else cast("bytes", first)


def look_anchor(redis: Redis, session_id: str) -> bytes | None:
    """The session's first descriptor, if there is one yet."""
    return cast("bytes | None", redis.get(keyspace.anchor(session_id)))


def put_picture(redis: Redis, session_id: str, picture: bytes) -> None:
    """Leave the picture that was given at creation, to be described."""
    endings.put(redis, session_id, keyspace.picture(session_id), picture, keyspace.CHIP_TTL)


def take_picture(redis: Redis, session_id: str) -> bytes | None:
    """It; gone then, so that no second delivery describes it again."""
    return cast("bytes | None", redis.getdel(keyspace.picture(session_id)))


def keep_reference(redis: Redis, session_id: str, descriptor: bytes, ttl: float) -> None:
    """Whose face that picture shows."""
    endings.put(redis, session_id, keyspace.reference(session_id), descriptor, ttl)


def look_reference(redis: Redis, session_id: str) -> bytes | None:
    """It; None where no picture was given, or none has been described yet."""
    return cast("bytes | None", redis.get(keyspace.reference(session_id)))
