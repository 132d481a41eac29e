"""Frames under way, of each session and of all: those that have arrived and are not answered yet.

Workers look here before a frame may time a challenge out, because a frame that arrived in time may still be under way
behind it. The API looks here before it admits a frame: frames that cannot be judged in time are refused before they have
cost anything, no session gets more than its share, and while the workers are busy no address does. Each function that
writes, except `enter`, takes a client or a pipeline.
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
    #: The workers are behind, or were a moment ago, and this session has not been served yet.
    NOT_YET = 4
    #: The workers are busy, and this frame's sharer has had more than its share of them lately.
    OVER_SHARE = 5


@dataclass(frozen=True, slots=True)
class Sharer:
    """The party among which the workers are shared while they are busy: a network, or a session of a trusted caller."""

    name: str
    #: Whether frames beyond the sharer's share are refused; a trusted sharer only counts.
    bounded: bool = True


class Admission(NamedTuple):
    """The decision on a frame, and the levels of its buckets (empty where they were not asked)."""

    entry: Entry
    levels: list[Level]


NO_LIMITS = Limits(of_session=1 << 30, per_worker=1 << 30, age=1e9)

#: Share of `per_worker` above which the workers are behind: then, and for BEHIND_TTL seconds afterwards, no session is
#: created, and frames are admitted only from sessions of which a frame was judged lately. Otherwise, with more people than
#: can be served, each would get too few frames for a gesture, and nobody would pass.
NEWCOMERS = 0.75

#: Share of `per_worker` above which the workers count as busy: from there on sharers are held to their shares. Half of the
#: places keep every worker in work, and the other half stays for sharers that use less.
BUSY = 0.5

#: Share of `per_worker` above which a sharer that is alone is refused. The rest stays free, so that the first frame of
#: another sharer is admitted and the gate of the web process is not shut for everybody.
ALONE = 0.875

#: A sharer is over its share when it had this many times the mean of all sharers.
OVER = 1.25

#: Frames in one to two seconds that no sharer is refused for: the pace of one person who sends 10 frames a second.
PACE = 20

#: KEYS: inflight:{session}, underway, workers:{queue}, prior:{session}, shares:{second} of this second and the one before,
#: behind, buckets. ARGV: frame; arrival; the times since which frames and workers count; of_session, per_worker, age; the
#: sharer's name ("" for none), and 1 if it is bounded; the buckets' sizes. Replies with the Entry, then the reply of `take`.
#: The age is that of the oldest frame after as many as there are workers: those may be in work, and a slow picture or a
#: killed worker tells nothing about how long other frames wait.
#: A sharer's share is of the frames admitted in this second and the one before while others waited for a worker: counting
#: the rest would cost each frame two more calls. A refused sharer counts as one, with no frames, so that others make room
#: for it. The field "" of a second counts the frames of all.
#: The share is asked before the rest: a frame over its share must not shut the gate for frames of other sharers.
#: `behind` is not set by a bounded sharer that is alone or over its share, since one network must not keep all others out,
#: nor by a session that has not begun, since asking again must not prolong its own wait.
#: The buckets come last: a frame that is refused for another reason takes no token.
_ENTER = Lua(
    TAKE
    + f"local INFLIGHT_TTL, SHARES_TTL = {keyspace.INFLIGHT_TTL}, {keyspace.SHARES_TTL}\n"
    + f"local BEHIND_TTL = {keyspace.BEHIND_TTL}\n"
    + f"local NEWCOMERS, BUSY, ALONE, OVER, PACE = {NEWCOMERS}, {BUSY}, {ALONE}, {OVER}, {PACE}"
    + """
local function sharers()
    local now = redis.call("hlen", KEYS[5]) - redis.call("hexists", KEYS[5], "")
    return math.max(now, redis.call("hlen", KEYS[6]) - redis.call("hexists", KEYS[6], ""))
end
local function over_share(sharer, full)
    local now, before = redis.call("hmget", KEYS[5], "", sharer), redis.call("hmget", KEYS[6], "", sharer)
    local own = (now[2] or 0) + (before[2] or 0)
    if own <= PACE then
        return false
    end
    local several = sharers()
    if several == 1 then
        return full
    end
    return own * several > OVER * ((now[1] or 0) + (before[1] or 0))
end
local all, workers = redis.call("zcard", KEYS[2]), math.max(1, redis.call("zcount", KEYS[3], ARGV[4], "+inf"))
if all > workers and redis.call("zremrangebyscore", KEYS[2], "-inf", "(" .. ARGV[3]) > 0 then
    all = redis.call("zcard", KEYS[2])
end
local waits, late = all > workers, false
if waits then
    local waiting = redis.call("zrange", KEYS[2], workers, workers, "withscores")
    late = ARGV[2] - waiting[2] > tonumber(ARGV[7])
end
local places, sharer = workers * ARGV[6], ARGV[8]
if sharer ~= "" and (late or all >= BUSY * places) then
    redis.call("hincrby", KEYS[5], sharer, 0)
    redis.call("expire", KEYS[5], SHARES_TTL)
    if ARGV[9] == "1" and over_share(sharer, late or all >= ALONE * places) then
        return {5}
    end
end
local behind = late or all >= math.max(workers, NEWCOMERS * places)
if behind or redis.call("exists", KEYS[7]) == 1 then
    local begun = redis.call("exists", KEYS[4]) == 1
    if behind and (begun or late) and (ARGV[9] ~= "1" or sharers() > 1) then
        redis.call("set", KEYS[7], "1", "ex", BEHIND_TTL)
    end
    if late or all >= places then
        return {2}
    end
    if not begun then
        return {4}
    end
end
if redis.call("zcount", KEYS[1], ARGV[3], "+inf") >= tonumber(ARGV[5]) then
    return {1}
end
local reply = {0}
if KEYS[8] and not take({unpack(KEYS, 8)}, {unpack(ARGV, 10)}, reply) then
    reply[1] = 3
    return reply
end
redis.call("zadd", KEYS[1], ARGV[2], ARGV[1])
redis.call("expire", KEYS[1], INFLIGHT_TTL)
if sharer ~= "" and waits then
    redis.call("hincrby", KEYS[5], sharer, 1)
    redis.call("hincrby", KEYS[5], "", 1)
    redis.call("expire", KEYS[5], SHARES_TTL)
end
return reply
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
    sharer: Sharer | None = None,
) -> Admission:
    """Admit a frame or refuse it, in one round trip; a refused frame is not under way and takes no token.

    To be called before the frame's message is sent, right after `arrived_at` was taken. redis: a client, not a pipeline.
    sharer: whose share of the workers the frame takes from; None if nobody's.
    """
    second = int(arrived_at)
    keys = [keyspace.inflight(session_id), keyspace.UNDERWAY, keyspace.workers(FRAMES), keyspace.prior(session_id)]
    keys += [keyspace.shares(second), keyspace.shares(second - 1), keyspace.BEHIND]
    since = repr(arrived_at - LONGEST_TRANSIT)
    lately = repr(arrived_at - keyspace.PRESENCE_LATELY)
    bounds = [limits.of_session, limits.per_worker, limits.age]
    share: list[str | float] = ["", 0] if sharer is None else [sharer.name, int(sharer.bounded)]
    reply = _ENTER(
        redis,
        keys + [bucket.key for bucket in buckets],
        [frame_id, repr(arrived_at), since, lately, *bounds, *share, *sizes(buckets)],
    )
    entry, *tokens = cast("list[int]", reply)
    return Admission(Entry(entry), levels(buckets, tokens) if tokens else [])


def behind(redis: Redis) -> bool:
    """Whether the workers are behind, or were a moment ago: the frames of another session would be refused."""
    return bool(redis.exists(keyspace.BEHIND))


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
