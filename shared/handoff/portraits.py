"""Portraits: the best frontal frame of each session created with portrait=true, kept for minutes and handed out once.

A worker of frames offers a frame's picture together with its face. The identity worker keeps the picture as the portrait
only after it has compared that face, and the one face in the picture itself, with the session's first.

A portrait is a hash of its score (its distance from an ideal portrait; lower is better) and its JPEG. Handing it out is done
in two steps, so that a broken connection does not lose it: it can be fetched again for FETCHED_TTL seconds, or dropped.
`offer` and `keep` take a client or a pipeline.
"""

from __future__ import annotations

from typing import cast

from redis import Redis

from shared.handoff import clean_up
from shared.handoff.clean_up import SessionScript
from shared.redis import keyspace
from shared.redis.script import Lua

#: The better of two pictures stays, in whichever order they come. ARGV: score, JPEG, milliseconds to live of the first.
#: The field `compared` tells these portraits from those of earlier frame workers, which nobody has compared.
_KEEP_BETTER = SessionScript("""
local kept, compared = unpack(redis.call("hmget", KEYS[2], "score", "compared"))
if not compared or tonumber(ARGV[1]) < tonumber(kept) then
    redis.call("hset", KEYS[2], "score", ARGV[1], "jpeg", ARGV[2], "compared", "1")
    if not kept then redis.call("pexpire", KEYS[2], ARGV[3]) end
end
""")
#: ARGV: milliseconds to live from the first time on.
_HAND_OUT = Lua("""
if redis.call("hexists", KEYS[1], "compared") == 0 then return false end
if redis.call("hsetnx", KEYS[1], "fetched", "1") == 1 and redis.call("pttl", KEYS[1]) > tonumber(ARGV[1]) then
    redis.call("pexpire", KEYS[1], ARGV[1])
end
return redis.call("hget", KEYS[1], "jpeg")
""")


def offer(redis: Redis, session_id: str, frame_id: str, jpeg: bytes) -> None:
    """Leave the picture of a frame whose face is to be compared, as a candidate for the portrait."""
    clean_up.put(redis, session_id, keyspace.candidate(frame_id), jpeg, keyspace.CHIP_TTL)


def take_offer(redis: Redis, frame_id: str) -> bytes | None:
    """The JPEG that was offered with a frame, which is removed; None if there is none."""
    return cast("bytes | None", redis.getdel(keyspace.candidate(frame_id)))


def best(redis: Redis, session_id: str) -> float | None:
    """The score of the portrait that is kept; None if there is none."""
    score, compared = redis.hmget(keyspace.portrait(session_id), ["score", "compared"])
    return None if score is None or compared is None else float(score)


def keep(redis: Redis, session_id: str, score: float, jpeg: bytes, ttl: float) -> None:
    """Keep a portrait whose face has been compared, unless a better one is kept or the session has ended.

    ttl: seconds for which the session's portrait is kept, counted from its first one.
    """
    _KEEP_BETTER(redis, session_id, keyspace.portrait(session_id), repr(score), jpeg, max(1, int(ttl * 1000)))


def look(redis: Redis, session_id: str) -> bytes | None:
    """The JPEG of the portrait, which stays as it is; None if there is none."""
    jpeg, compared = redis.hmget(keyspace.portrait(session_id), ["jpeg", "compared"])
    return None if compared is None else cast("bytes | None", jpeg)


def hand_out(redis: Redis, session_id: str) -> bytes | None:
    """The JPEG of the portrait, which stays for FETCHED_TTL more seconds from its first hand-out; None if there is none."""
    return cast("bytes | None", _HAND_OUT(redis, [keyspace.portrait(session_id)], [1000 * keyspace.FETCHED_TTL]))


def drop(redis: Redis, session_id: str) -> bool:
    """Remove the portrait; False if there was none."""
    return bool(redis.delete(keyspace.portrait(session_id)))
