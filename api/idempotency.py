"""The same creation asked for twice is done once: `Idempotency-Key`, after draft-ietf-httpapi-idempotency-key-header.

A client that did not hear the answer sends the same request with the same key again, and gets the same answer. Kept in Redis
for as long as a session lives: what is asked for later needs a new one anyway.
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

#: Seconds after which a creation that never came to its end (its process was killed) may be begun anew.
ABANDONED = 30


class _Kept(msgspec.Struct, frozen=True):
    """What is kept under a key."""

    #: SHA-256 of what was asked for.
    asked: bytes
    #: The answer's body; None while it is being made.
    body: bytes | None


_encoder, _decoder = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(_Kept)


def once(
    redis: Redis, key: str, make: Callable[[], bytes], *, who: str, asked: bytes, ttl: float
) -> tuple[bytes, bool]:
    """The answer to what was asked for under this key, made now or kept from before; and whether it was kept.

    who: whose keys they are; another's are others. asked: all that the answer depends on.
    Raises a problem where the same key came with something else, or its answer is just being made.
    """
    name = keyspace.idempotency(hashlib.sha256(f"{who}\0{key}".encode()).hexdigest())
    digest = hashlib.sha256(asked).digest()
    claim = _encoder.encode(_Kept(digest, None))
    if not redis.set(name, claim, nx=True, ex=ABANDONED):  # with GET in one command only from Redis 7 on
        earlier = cast("bytes | None", redis.get(name))
        if earlier is None:  # it has just been let go
            raise ProblemError("idempotency_key_in_use")
        return _kept_answer(_decoder.decode(earlier), digest), True
    try:
        body = make()
    except BaseException:
        with suppress(RedisError):  # then it is let go when it is abandoned
            redis.delete(name)
        raise
    with suppress(RedisError):  # it has been made, and is told; a second one would be made if it were asked for again
        redis.set(name, _encoder.encode(_Kept(digest, body)), px=int(ttl * 1000))
    return body, False


def _kept_answer(kept: _Kept, digest: bytes) -> bytes:
    if kept.asked != digest:
        raise ProblemError("idempotency_key_reused")
    if kept.body is None:
        raise ProblemError("idempotency_key_in_use")
    return kept.body
