"""`Idempotency-Key`: a creation that is sent twice is done once (draft-ietf-httpapi-idempotency-key-header).

A client that did not get the answer sends the same request with the same key again, and gets the same answer. Answers are
kept in Redis for as long as a session lives: a later request needs a new session anyway.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from typing import cast

import msgspec
from redis import Redis
from redis.exceptions import RedisError

from api.problems import ProblemError
from shared.redis import keyspace

#: Seconds after which a creation without an end (its process was killed) may be tried again.
ABANDONED = 30


class _Record(msgspec.Struct, frozen=True):
    """The record of a creation, kept under its key."""

    #: SHA-256 of the request.
    asked: bytes
    #: The answer's body; None while it is being made.
    body: bytes | None


_encoder, _decoder = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(_Record)


def once(
    redis: Redis, key: str, make: Callable[[], bytes], *, who: str, asked: bytes, ttl: float
) -> tuple[bytes, bool]:
    """The answer to the request with this key, and whether it was kept from an earlier one; else `make` makes it.

    who: the caller, since keys of different callers are different. asked: all that the answer depends on. ttl: seconds for
    which the answer is kept. Raises the problems `idempotency_key_reused` and `idempotency_key_in_use`.
    """
    name = keyspace.idempotency(hashlib.sha256(f"{who}\0{key}".encode()).hexdigest())
    digest = hashlib.sha256(asked).digest()
    claim = _encoder.encode(_Record(digest, None))
    if not redis.set(name, claim, nx=True, ex=ABANDONED):  # SET takes NX and GET together only from Redis 7 on
        earlier = cast("bytes | None", redis.get(name))
        if earlier is None:  # it has expired or was deleted meanwhile
            raise ProblemError("idempotency_key_in_use")
        return _kept_answer(_decoder.decode(earlier), digest), True
    try:
        body = make()
    except BaseException:
        with suppress(RedisError):  # else it expires after ABANDONED seconds
            redis.delete(name)
        raise
    with suppress(RedisError):  # the session exists and is answered; a repetition would create a second one
        redis.set(name, _encoder.encode(_Record(digest, body)), px=int(ttl * 1000))
    return body, False


def _kept_answer(record: _Record, digest: bytes) -> bytes:
    if record.asked != digest:
        raise ProblemError("idempotency_key_reused")
    if record.body is None:
        raise ProblemError("idempotency_key_in_use")
    return record.body
