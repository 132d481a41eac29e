"""How often something may be done: buckets of tokens in Redis, the same for all processes.

A bucket holds as many tokens as its rate allows in a period, is full at first, and fills evenly. What is kept of it is one
number, the moment at which it will be full again (the generic cell rate algorithm), so a bucket is one short string that
expires when it is full. Several are asked at once, and give a token each or none at all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from redis import Redis

from shared.redis.script import Lua

#: Seconds of each period that a rate may be told by.
PERIODS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}

_RATE = re.compile(rf"([1-9]\d{{0,8}})\s*/\s*({'|'.join(PERIODS)})")

#: A function for scripts. keys: the buckets; sizes: of each its tokens and its period in milliseconds. Gives three numbers
#: for each: the milliseconds until it has a token (0: it has one), the tokens that are left, the milliseconds until it is
#: full. Redis' own clock, so that it does not matter which machine asks.
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
    """So many in so many seconds, all at once if need be."""

    count: int
    seconds: int

    @classmethod
    @lru_cache(maxsize=64)  # the settings' few, asked for with each frame
    def parse(cls, text: str) -> Rate | None:
        """From "30/minute"; None for "off". Raises ValueError."""
        if text.strip().lower() == "off":
            return None
        found = _RATE.fullmatch(text.strip().lower())
        if found is None:
            raise ValueError(f"must be a number, a slash and one of {', '.join(PERIODS)}, as in 30/minute, or off")
        return cls(int(found[1]), PERIODS[found[2]])


@dataclass(frozen=True, slots=True)
class Bucket:
    """One limit, of one key, address or session."""

    #: What it is called to clients.
    name: str
    #: Its key in Redis, see `shared.redis.keyspace`.
    key: str
    rate: Rate


@dataclass(frozen=True, slots=True)
class Level:
    """What a bucket said. Times in seconds."""

    bucket: Bucket
    #: Until it has a token; 0 where it had one.
    wait: float
    #: Tokens that are left.
    left: int
    #: Until it is full.
    full_in: float


def take(redis: Redis, buckets: Sequence[Bucket]) -> list[Level]:
    """Take a token out of each, or none at all where one has none. One round trip; not for pipelines."""
    keys = [bucket.key for bucket in buckets]
    return levels(buckets, cast("list[int]", _TAKE(redis, keys, sizes(buckets))))


def sizes(buckets: Sequence[Bucket]) -> list[int]:
    """What `TAKE` is to know of each."""
    return [number for bucket in buckets for number in (bucket.rate.count, bucket.rate.seconds * 1000)]


def levels(buckets: Sequence[Bucket], reply: Sequence[int]) -> list[Level]:
    """What each of the buckets said, from what `TAKE` gave."""
    return [
        Level(bucket, wait=wait / 1000, left=left, full_in=full_in / 1000)
        for bucket, (wait, left, full_in) in zip(buckets, zip(*[iter(reply)] * 3, strict=True), strict=True)
    ]
