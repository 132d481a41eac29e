"""Portraits: the best frontal frame of each session created with portrait=true, kept for minutes and handed out once.

A portrait is a hash of its score (its distance from an ideal portrait; lower is better) and its JPEG.
Each function except `best` and `take` takes a client or a pipeline.
"""

from __future__ import annotations

from typing import cast

from redis import Redis

from shared.handoff.clean_up import SessionScript
from shared.redis import keyspace

#: The better of two workers' pictures stays, in whichever order they come. ARGV: score, JPEG, milliseconds to live of the
#: first.
_KEEP_BETTER = SessionScript("""
local kept = redis.call("hget", KEYS[2], "score")
if not kept or tonumber(ARGV[1]) < tonumber(kept) then
    redis.call("hset", KEYS[2], "score", ARGV[1], "jpeg", ARGV[2])
    if not kept then redis.call("pexpire", KEYS[2], ARGV[3]) end
end
""")


def best(redis: Redis, session_id: str) -> float | None:
    """The score of the portrait that is kept; None if there is none."""
    score = cast("bytes | None", redis.hget(keyspace.portrait(session_id), "score"))
    return None if score is None else float(score)


def keep(redis: Redis, session_id: str, score: float, jpeg: bytes, ttl: float) -> None:
    """Keep a portrait unless a better one is kept or the session has ended.

    ttl: seconds for which the session's portrait is kept, counted from its first one.
    """
    _KEEP_BETTER(redis, session_id, keyspace.portrait(session_id), repr(score), jpeg, max(1, int(ttl * 1000)))


def take(redis: Redis, session_id: str) -> bytes | None:
    """The JPEG of the portrait, which is removed; None if there is none."""
    pipe = redis.pipeline()
    pipe.hget(keyspace.portrait(session_id), "jpeg")
    pipe.delete(keyspace.portrait(session_id))
    jpeg, _ = pipe.execute()
    return cast("bytes | None", jpeg)
