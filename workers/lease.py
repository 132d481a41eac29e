"""Who alone may do something just now."""

from __future__ import annotations

import uuid

from redis import Redis

from shared.redis import keyspace

#: Take or renew. ARGV: who, milliseconds.
_HOLD = """
local holder = redis.call("get", KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call("set", KEYS[1], ARGV[1], "px", ARGV[2])
return 1
"""

_RELEASE = """
if redis.call("get", KEYS[1]) == ARGV[1] then redis.call("del", KEYS[1]) end
"""


class Lease:
    """A name that one holder has at a time, for `ttl` seconds after it last asked.

    It spares work, it does not guard anything: who was held up may believe for a moment to hold it still.
    """

    def __init__(self, redis: Redis, name: str, ttl: float) -> None:
        self._redis = redis
        self._key = keyspace.lease(name)
        self._ttl = int(ttl * 1000)
        self._me = uuid.uuid4().hex

    def hold(self) -> bool:
        """Take it or renew it; False if another has it."""
        return bool(self._redis.eval(_HOLD, 1, self._key, self._me, self._ttl))

    def release(self) -> None:
        """Let it go, if it is ours, so that another need not wait until it has run out."""
        self._redis.eval(_RELEASE, 1, self._key, self._me)
