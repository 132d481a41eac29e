"""The processor time that each session's pictures take to decode, and its limit.

Ordinary frames take a few milliseconds and are bounded by LIMIT_FRAMES; only dearer ones are counted. The count is a bucket
as in `shared.redis.buckets`: the time at which it will be full again. Each function takes a client or a pipeline.
"""

from __future__ import annotations

from typing import cast

from redis import Redis

from shared.redis import keyspace
from shared.redis.script import Lua

#: Seconds of the processor below which a picture is not counted.
FREE = 0.03
#: Share of one processor that a session may use for decoding in the long run, and seconds that it may use at once.
SHARE, AT_ONCE = 0.5, 2.0
#: Least seconds that count for a picture that stalled the decoder.
STALLED = 5.0

#: ARGV: milliseconds that the bucket loses.
_SPEND = Lua("""
local time = redis.call("time")
local now = time[1] * 1000 + time[2] / 1000
local full = math.max(tonumber(redis.call("get", KEYS[1]) or 0), now) + ARGV[1]
redis.call("set", KEYS[1], string.format("%.3f", full), "px", math.ceil(full - now))
""")


def spend(redis: Redis, session_id: str, seconds: float) -> None:
    """Count the seconds of the processor that a picture of the session took."""
    _SPEND(redis, [keyspace.effort(session_id)], [1000 * seconds / SHARE])


def look(redis: Redis, session_id: str) -> bytes | None:
    """The session's count as `is_spent` takes it. On a pipeline: its reply."""
    return cast("bytes | None", redis.get(keyspace.effort(session_id)))


def is_spent(count: bytes | None, at: float) -> bool:
    """Whether the session has used up its time, so that none of its pictures is decoded; at: the service's time."""
    return count is not None and float(count) - 1000 * at > 1000 * AT_ONCE / SHARE
