"""Sequences: the nonces of the latest answers of each session that was created with sequence=required.

The API leaves them in Redis, so that all web processes know them. Without them (Redis was restarted) a sequence starts over.
"""

from __future__ import annotations

from secrets import token_hex
from typing import cast

from redis import Redis

from shared.liveness.sequence import KEPT
from shared.redis import keyspace

#: Random bytes of a nonce: enough that nobody guesses one of a few within a session's time.
_BYTES = 8


def latest(redis: Redis, session_id: str) -> list[str]:
    """The nonces of a session's latest answers, newest first."""
    issued = cast("list[bytes]", redis.lrange(keyspace.sequence(session_id), 0, KEPT - 1))
    return [nonce.decode() for nonce in issued]


def issue(redis: Redis, session_id: str, ttl: float) -> str:
    """A new nonce, kept for `ttl` seconds, for an answer that is about to be given."""
    nonce = token_hex(_BYTES)
    key = keyspace.sequence(session_id)
    pipe = redis.pipeline()
    pipe.lpush(key, nonce)
    pipe.ltrim(key, 0, KEPT - 1)
    pipe.pexpire(key, max(1, int(ttl * 1000)))
    pipe.execute()
    return nonce
