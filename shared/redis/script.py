"""A script for Redis that is sent by its digest, and whole only to a server that does not know it."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha1

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import NoScriptError


class Lua:
    """Called with a client or a pipeline, keys and arguments. A pipeline sends it whole: it could not send it anew."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._digest = sha1(text.encode(), usedforsecurity=False).hexdigest()

    def __call__(self, redis: Redis, keys: Sequence[str], arguments: Sequence[str | bytes | float]) -> object:
        """Run it; one round trip. On a pipeline the reply is what counts."""
        if isinstance(redis, Pipeline):
            return redis.eval(self._text, len(keys), *keys, *arguments)
        try:
            return redis.evalsha(self._digest, len(keys), *keys, *arguments)
        except NoScriptError:
            return redis.eval(self._text, len(keys), *keys, *arguments)
