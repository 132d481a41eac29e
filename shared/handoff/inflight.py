"""Which frames have arrived and are not answered yet: of a session, and of all.

The workers ask this before they let a frame time a challenge out: a frame that arrived in time may still be under way
behind one that arrived too late. The API asks it before it takes a frame: more than can be judged in time is refused
while it has cost nothing, and no session has more than its share. Each writing function takes a client or a pipeline.
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
    """How much may be under way when another frame arrives."""

    #: Frames of one session.
    of_session: int
    #: Frames of all sessions that wait or are worked on, for each worker process that has been seen lately; for one, where
    #: none has.
    per_worker: int
    #: Seconds for which the oldest frame has waited that no worker can have begun yet.
    age: float


class Entry(IntEnum):
    """What becomes of a frame that arrives."""

    TAKEN = 0
    #: Its session has as many under way as one may have.
    TOO_MANY = 1
    #: The workers are behind: it would not be judged in time.
    BEHIND = 2
    #: One of the buckets has no token for it.
    TOO_OFTEN = 3
    #: The workers have enough to do with other sessions, and this one has not begun.
    NOT_YET = 4


class Admission(NamedTuple):
    """Whether a frame was let in, and what its buckets said: nothing where they were not asked."""

    entry: Entry
    levels: list[Level]


NO_LIMITS = Limits(of_session=1 << 30, per_worker=1 << 30, age=1e9)

#: Share of `per_worker` from which on a session has to wait that is not being served: no frame of it was judged lately.
#: Else, with three times as many people as can be served, each would have a third of the frames that gestures need, and
#: nobody would pass. As it is those who have begun go on, and others wait until one of them has ended. At 24 for a worker,
#: which judges some 95 a second, that is from 18 people on: when each has the five a second that a client is to send.
NEWCOMERS = 0.75

#: KEYS: inflight:{session}, underway, workers:{queue}, prior:{session}, buckets. ARGV: frame, arrival; from when on frames
#: and workers count; the three limits, and per_worker's for newcomers; seconds to live; the buckets' sizes. Replies with the
#: entry, then what `take` gave.
#: Behind is judged by the oldest frames but as many as there are workers: one that takes long for what it shows, or whose
#: worker was killed, says nothing about how long others wait.
#: The buckets are asked last: a frame that is refused for another reason takes no token.
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
    """A frame has arrived: to be told before its message is sent, and in the same moment as `arrived_at` is taken.

    One round trip. Where it is not TAKEN it is not under way, and nothing is to be done about it. Not for pipelines.
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
    entry, *told = cast("list[int]", reply)
    return Admission(Entry(entry), levels(buckets, told) if told else [])


def wait(redis: Redis, frame_id: str, at: float) -> None:
    """The frame has been read whole, and waits for a worker from now on: until then it is in no other session's way."""
    redis.zadd(keyspace.UNDERWAY, {frame_id: at})
    redis.expire(keyspace.UNDERWAY, keyspace.INFLIGHT_TTL)


def leave(redis: Redis, session_id: str, frame_id: str) -> None:
    """A frame has been answered, or nobody waits for it any more."""
    redis.zrem(keyspace.inflight(session_id), frame_id)
    redis.zrem(keyspace.UNDERWAY, frame_id)


def count_earlier(redis: Redis, session_id: str, arrived_at: float) -> int:
    """How many frames are under way that arrived before `arrived_at`. On a pipeline the reply is what counts.

    Those that arrived more than LONGEST_TRANSIT seconds before are not counted: their requests have been told 503, and
    whoever should have removed them has died.
    """
    # "(" excludes the bound itself: the frame that asks is not earlier than itself.
    return redis.zcount(keyspace.inflight(session_id), arrived_at - LONGEST_TRANSIT, f"({arrived_at!r}")


def waits_since(redis: Redis, frame_id: str) -> float | None:
    """When the frame began to wait; None where that is not known. On a pipeline the reply is what counts."""
    return redis.zscore(keyspace.UNDERWAY, frame_id)


def newer(redis: Redis, session_id: str, arrived_at: float) -> float | None:
    """When the newest frame of the session arrived that waits for a worker, if that was after `arrived_at`."""
    others = cast(
        "list[tuple[str, float]]",
        redis.zrevrangebyscore(keyspace.inflight(session_id), "+inf", f"({arrived_at!r}", 0, 50, withscores=True),
    )
    waiting = redis.zmscore(keyspace.UNDERWAY, [frame_id for frame_id, _ in others]) if others else []
    return next((at for (_, at), since in zip(others, waiting, strict=True) if since is not None), None)
