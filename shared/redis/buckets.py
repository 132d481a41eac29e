"""Rate limits: token buckets in Redis, shared by all processes.

A bucket holds as many tokens as its rate allows in a period, starts full, and fills evenly. Only the time at which it will
be full again is stored (generic cell rate algorithm), in a string that expires at that time. Several buckets can be asked
at once: either all give their tokens, or none does.
"""

from __future__ import annotations

import random
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

#: Tokens of a bucket from which on it counts as wide, and the tokens that are taken from a wide bucket at a time: a write
#: costs Redis more than all the rest of a request for a token.
WIDE, LUMP = 1000, 8

#: A Lua function for scripts, `take(keys, sizes, reply)`. keys: those of the buckets; sizes: for each bucket, its tokens,
#: its period in milliseconds, and how many tokens to take (0: only look whether there is one). Appends three numbers a
#: bucket to `reply`: milliseconds until it has the tokens (0: it had them), tokens left, and milliseconds until it is full.
#: Returns whether the tokens were taken. Times are by Redis' clock, so that all machines agree.
TAKE = """
local function take(keys, sizes, reply)
    local time = redis.call("time")
    local now = time[1] * 1000 + time[2] / 1000
    local kept = redis.call("mget", unpack(keys))
    local full, wait, taken = {}, {}, true
    for i = 1, #keys do
        local each, asked = sizes[3 * i - 1] / sizes[3 * i - 2], tonumber(sizes[3 * i])
        full[i] = math.max(kept[i] or 0, now)
        wait[i] = full[i] + math.max(1, asked) * each - sizes[3 * i - 1] - now
        taken = taken and wait[i] <= 0.001
    end
    for i = 1, #keys do
        local count, period, asked = sizes[3 * i - 2], sizes[3 * i - 1], tonumber(sizes[3 * i])
        if taken and asked > 0 then
            full[i] = full[i] + asked * period / count
            redis.call("set", keys[i], string.format("%.3f", full[i]), "px", math.ceil(full[i] - now))
        end
        local filling, at = full[i] - now, #reply
        reply[at + 1] = math.max(0, math.ceil(wait[i] - 0.001))
        reply[at + 2] = math.floor(count - filling * count / period + 0.001)
        reply[at + 3] = math.ceil(filling)
    end
    return taken
end
"""
_TAKE = Lua(TAKE + "local reply = {} take(KEYS, ARGV, reply) return reply")


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
    """The buckets' sizes, as `TAKE` expects them: tokens, milliseconds and the tokens to take of each.

    A wide bucket gives LUMP tokens to one request in LUMP, drawn by lot, and is only looked at by the others.
    """
    return [
        number
        for bucket in buckets
        for number in (bucket.rate.count, bucket.rate.seconds * 1000, _asked(bucket.rate.count))
    ]


def _asked(count: int) -> int:
    if count < WIDE:
        return 1
    return 0 if random.randrange(LUMP) else LUMP  # noqa: S311 - spares work, guards no secret


def levels(buckets: Sequence[Bucket], reply: Sequence[int]) -> list[Level]:
    """The level of each bucket, from the reply of `TAKE`."""
    return [
        Level(bucket, wait=wait / 1000, left=left, full_in=full_in / 1000)
        for bucket, (wait, left, full_in) in zip(buckets, zip(*[iter(reply)] * 3, strict=True), strict=True)
    ]
