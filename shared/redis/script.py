"""Lua scripts for Redis, sent by their digest, and in full only to a server that does not know them yet."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha1

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import NoScriptError


class Lua:
    """A Lua script, to be called with a client or a pipeline, its keys and its arguments."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._digest = sha1(text.encode(), usedforsecurity=False).hexdigest()

    def __call__(self, redis: Redis, keys: Sequence[str], arguments: Sequence[str | bytes | float]) -> object:
        """Run the script in one round trip, and return its reply; on a pipeline the reply comes when that is executed."""
        if isinstance(redis, Pipeline):  # which could not send an unknown script again
            return redis.eval(self._text, len(keys), *keys, *arguments)
        try:
            return redis.evalsha(self._digest, len(keys), *keys, *arguments)
        except NoScriptError:
            return redis.eval(self._text, len(keys), *keys, *arguments)
