"""The best frontal frame of a session that was asked for one, for its operator's own use: kept for minutes, given once.

A portrait is a hash: how far it is from a portrait's ideal, and the JPEG.
Each function takes a client or a pipeline, but for `take`.
"""

from __future__ import annotations

from typing import cast

from redis import Redis

from shared.handoff.endings import SessionScript
from shared.redis import keyspace

#: Of two workers the one with the better picture wins, whoever comes last. ARGV: score, JPEG, milliseconds from the first.
_KEEP_BETTER = SessionScript("""
local kept = redis.call("hget", KEYS[2], "score")
if not kept or tonumber(ARGV[1]) < tonumber(kept) then
    redis.call("hset", KEYS[2], "score", ARGV[1], "jpeg", ARGV[2])
    if not kept then redis.call("pexpire", KEYS[2], ARGV[3]) end
end
""")


def best(redis: Redis, session_id: str) -> float | None:
    """The score of the one that is kept: the lower, the better."""
    score = cast("bytes | None", redis.hget(keyspace.portrait(session_id), "score"))
    return None if score is None else float(score)


def keep(redis: Redis, session_id: str, score: float, jpeg: bytes, ttl: float) -> None:
    """Keep it, unless a better one is kept; for `ttl` seconds from the first of the session."""
    _KEEP_BETTER(redis, session_id, keyspace.portrait(session_id), repr(score), jpeg, max(1, int(ttl * 1000)))


def take(redis: Redis, session_id: str) -> bytes | None:
    """The JPEG, which is gone then."""
    pipe = redis.pipeline()
    pipe.hget(keyspace.portrait(session_id), "jpeg")
    pipe.delete(keyspace.portrait(session_id))
    jpeg, _ = pipe.execute()
    return cast("bytes | None", jpeg)
