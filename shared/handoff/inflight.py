"""Frames under way, of each session and of all: those that have arrived and are not answered yet.

Workers look here before a frame may time a challenge out, because a frame that arrived in time may still be under way
behind it. The API looks here before it admits a frame: frames that cannot be judged in time are refused before they have
cost anything, and no session gets more than its share. Each function that writes, except `enter`, takes a client or a
pipeline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, cast

from redis import Redis

from shared.liveness.session import LONGEST_TRANSIT
from shared.queue.messages import FRAMES
from shared.redis import keyspace
from shared.redis.buckets import TAKE, Bucket, Level, levels, sizes
from shared.redis.script import Lua


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits on frames under way, checked when another frame arrives."""

    #: Most frames of one session.
    of_session: int
    #: Most frames of all sessions that wait or are worked on, for each worker process seen lately (at least one).
    per_worker: int
    #: Most seconds that the oldest frame which no worker can have begun yet may have waited.
    age: float


class Entry(IntEnum):
    """The decision on a frame that arrives."""

    TAKEN = 0
    #: The session has `of_session` frames under way.
    TOO_MANY = 1
    #: The workers are behind: the frame would not be judged in time.
    BEHIND = 2
    #: One of the frame's buckets has no token.
    TOO_OFTEN = 3
    #: The workers are busy with other sessions, and this one has not been served yet.
    NOT_YET = 4


class Admission(NamedTuple):
    """The decision on a frame, and the levels of its buckets (empty where they were not asked)."""

    entry: Entry
    levels: list[Level]


NO_LIMITS = Limits(of_session=1 << 30, per_worker=1 << 30, age=1e9)

#: Share of `per_worker` above which frames are admitted only from sessions of which a frame was judged lately. Otherwise,
#: with more people than can be served, each would get too few frames for a gesture, and nobody would pass.
NEWCOMERS = 0.75

#: KEYS: inflight:{session}, underway, workers:{queue}, prior:{session}, buckets. ARGV: frame; arrival; the times since which
#: frames and workers count; of_session, per_worker, age, per_worker for newcomers; seconds to live; the buckets' sizes.
#: Replies with the Entry, then the reply of `take`.
#: The age is that of the oldest frame after as many as there are workers: those may be in work, and a slow picture or a
#: killed worker tells nothing about how long other frames wait.
#: The buckets come last: a frame that is refused for another reason takes no token.
_ENTER = Lua(
    TAKE
    + """
redis.call("zremrangebyscore", KEYS[2], "-inf", "(" .. ARGV[3])
local all, workers = redis.call("zcard", KEYS[2]), math.max(1, redis.call("zcount", KEYS[3], ARGV[4], "+inf"))
if all >= workers * tonumber(ARGV[6]) then
    return {2}
end
if all > workers then
    local waiting = redis.call("zrange", KEYS[2], workers, workers, "withscores")
    if ARGV[2] - waiting[2] > tonumber(ARGV[7]) then
        return {2}
    end
end
if all >= workers * tonumber(ARGV[8]) and redis.call("exists", KEYS[4]) == 0 then
    return {4}
end
if redis.call("zcount", KEYS[1], ARGV[3], "+inf") >= tonumber(ARGV[5]) then
    return {1}
end
local levels = KEYS[5] and take({unpack(KEYS, 5)}, {unpack(ARGV, 10)}) or {}
for i = 1, #levels, 3 do
    if levels[i] > 0 then
        return {3, unpack(levels)}
    end
end
redis.call("zadd", KEYS[1], ARGV[2], ARGV[1])
redis.call("expire", KEYS[1], ARGV[9])
return {0, unpack(levels)}
"""
)


def enter(
    redis: Redis,
    session_id: str,
    frame_id: str,
    arrived_at: float,
    limits: Limits = NO_LIMITS,
    *,
    buckets: Sequence[Bucket] = (),
) -> Admission:
    """Admit a frame or refuse it, in one round trip; a refused frame is not under way and leaves nothing behind.

    To be called before the frame's message is sent, right after `arrived_at` was taken. redis: a client, not a pipeline.
    """
    keys = [keyspace.inflight(session_id), keyspace.UNDERWAY, keyspace.workers(FRAMES), keyspace.prior(session_id)]
    since = repr(arrived_at - LONGEST_TRANSIT)
    lately = repr(arrived_at - keyspace.PRESENCE_LATELY)
    newcomers = max(1.0, NEWCOMERS * limits.per_worker)
    bounds = [limits.of_session, limits.per_worker, limits.age, newcomers, keyspace.INFLIGHT_TTL]
    reply = _ENTER(
        redis,
        keys + [bucket.key for bucket in buckets],
        [frame_id, repr(arrived_at), since, lately, *bounds, *sizes(buckets)],
    )
    entry, *tokens = cast("list[int]", reply)
    return Admission(Entry(entry), levels(buckets, tokens) if tokens else [])


def wait(redis: Redis, frame_id: str, at: float) -> None:
    """Note that a frame has been read completely and waits for a worker since `at`; it counts among all frames from then."""
    redis.zadd(keyspace.UNDERWAY, {frame_id: at})
    redis.expire(keyspace.UNDERWAY, keyspace.INFLIGHT_TTL)


def leave(redis: Redis, session_id: str, frame_id: str) -> None:
    """Remove a frame that has been answered, or that no request waits for any more."""
    redis.zrem(keyspace.inflight(session_id), frame_id)
    redis.zrem(keyspace.UNDERWAY, frame_id)


def count_earlier(redis: Redis, session_id: str, arrived_at: float) -> int:
    """How many frames of a session are under way that arrived before `arrived_at`; on a pipeline it is its reply.

    Frames that arrived more than LONGEST_TRANSIT seconds earlier do not count: their requests were answered 503, and the
    process that should have removed them was killed.
    """
    # "(" excludes the bound itself: a frame is not earlier than itself.
    return redis.zcount(keyspace.inflight(session_id), arrived_at - LONGEST_TRANSIT, f"({arrived_at!r}")


def waits_since(redis: Redis, frame_id: str) -> float | None:
    """When a frame began to wait for a worker; None if that is not known. On a pipeline it is its reply."""
    return redis.zscore(keyspace.UNDERWAY, frame_id)


def newer(redis: Redis, session_id: str, arrived_at: float) -> float | None:
    """The arrival of the session's newest frame that waits for a worker, if that was after `arrived_at`; else None."""
    others = cast(
        "list[tuple[str, float]]",
        redis.zrevrangebyscore(keyspace.inflight(session_id), "+inf", f"({arrived_at!r}", 0, 50, withscores=True),
    )
    waiting = redis.zmscore(keyspace.UNDERWAY, [frame_id for frame_id, _ in others]) if others else []
    return next((at for (_, at), since in zip(others, waiting, strict=True) if since is not None), None)
