"""Rate limits: token buckets in Redis, shared by all processes.

A bucket holds as many tokens as its rate allows in a period, starts full, and fills evenly. Only the time at which it will
be full again is stored (generic cell rate algorithm), in a string that expires at that time. Several buckets can be asked
at once: either all give a token, or none does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from redis import Redis

from shared.redis.script import Lua

#: Periods in which a rate may be written, in seconds.
PERIODS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}

_RATE = re.compile(rf"([1-9]\d{{0,8}})\s*/\s*({'|'.join(PERIODS)})")

#: A Lua function for scripts, `take(keys, sizes)`. keys: those of the buckets; sizes: for each bucket, its tokens and its
#: period in milliseconds. Returns three numbers a bucket: milliseconds until it has a token (0: it had one), tokens left,
#: and milliseconds until it is full. Times are by Redis' clock, so that all machines agree.
TAKE = """
local function take(keys, sizes)
    local time = redis.call("time")
    local now = time[1] * 1000 + time[2] / 1000
    local full, wait, refused = {}, {}, false
    for i, key in ipairs(keys) do
        local period = tonumber(sizes[2 * i])
        full[i] = math.max(tonumber(redis.call("get", key) or 0), now)
        wait[i] = math.max(0, full[i] + period / sizes[2 * i - 1] - period - now)
        refused = refused or wait[i] > 0.001
    end
    local reply = {}
    for i, key in ipairs(keys) do
        local count, period = tonumber(sizes[2 * i - 1]), tonumber(sizes[2 * i])
        if not refused then
            full[i] = full[i] + period / count
            redis.call("set", key, string.format("%.3f", full[i]), "px", math.ceil(full[i] - now))
        end
        reply[#reply + 1] = math.ceil(wait[i] - 0.001)
        reply[#reply + 1] = math.floor(count - (full[i] - now) * count / period + 0.001)
        reply[#reply + 1] = math.ceil(full[i] - now)
    end
    return reply
end
"""
_TAKE = Lua(TAKE + "return take(KEYS, ARGV)")


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate limit: `count` in `seconds`, which may be used up all at once."""

    count: int
    seconds: int

    @classmethod
    @lru_cache(maxsize=64)  # the few rates of the settings, parsed for each frame
    def parse(cls, text: str) -> Rate | None:
        """Parse a rate such as "30/minute"; None for "off". Raises ValueError for anything else."""
        if text.strip().lower() == "off":
            return None
        found = _RATE.fullmatch(text.strip().lower())
        if found is None:
            raise ValueError(f"must be a number, a slash and one of {', '.join(PERIODS)}, as in 30/minute, or off")
        return cls(int(found[1]), PERIODS[found[2]])


@dataclass(frozen=True, slots=True)
class Bucket:
    """The bucket of one API key, address or session."""

    #: Name of the limit, for clients.
    name: str
    #: Key in Redis, see `shared.redis.keyspace`.
    key: str
    rate: Rate


@dataclass(frozen=True, slots=True)
class Level:
    """The level of a bucket after a token was asked for. Times are in seconds."""

    bucket: Bucket
    #: Time until the bucket has a token; 0 if it had one.
    wait: float
    #: Tokens left.
    left: int
    #: Time until the bucket is full.
    full_in: float


def take(redis: Redis, buckets: Sequence[Bucket]) -> list[Level]:
    """Take a token out of each bucket, or none at all if a bucket is empty. One round trip; not for pipelines."""
    keys = [bucket.key for bucket in buckets]
    return levels(buckets, cast("list[int]", _TAKE(redis, keys, sizes(buckets))))


def sizes(buckets: Sequence[Bucket]) -> list[int]:
    """The buckets' sizes, as `TAKE` expects them: tokens and milliseconds of each."""
    return [number for bucket in buckets for number in (bucket.rate.count, bucket.rate.seconds * 1000)]


def levels(buckets: Sequence[Bucket], reply: Sequence[int]) -> list[Level]:
    """The level of each bucket, from the reply of `TAKE`."""
    return [
        Level(bucket, wait=wait / 1000, left=left, full_in=full_in / 1000)
        for bucket, (wait, left, full_in) in zip(buckets, zip(*[iter(reply)] * 3, strict=True), strict=True)
    ]
