"""A session has ended: everything that follows outside the database, whichever way the session ended.

Frames, comparisons of faces, the clock, GET, DELETE, a creation that fails and the purge all end sessions by a
`shared.db.UnitOfWork`, which refuses to end one unless `Endings` is told of it after the commit. Rows, events and the
count of failed attempts are the unit of work's own part of an end.

An ended session is marked in Redis, and a marked session gets nothing written by `SessionScript`: a worker that was
still busy with one of its frames leaves nothing behind. A process that is killed between the commit and the mark leaves
both undone; the clock (`workers.clock`) marks and clears each ended session once more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog
from redis import Redis
from redis.client import Pipeline
from redis.exceptions import RedisError

from shared.db.ending import Ending
from shared.redis import keyspace
from shared.redis.script import Lua
from shared.redis.timekeeping import now

log = structlog.get_logger(__name__)


class Endings:
    """Clears Redis and the process's own caches of sessions that have ended; a second time changes nothing."""

    def __init__(self, redis: Redis, *forget: Callable[[str], None]) -> None:
        """forget: this process's caches; each is called with the id of an ended session."""
        self._redis = redis
        self._forget = forget

    def __call__(self, endings: Sequence[Ending]) -> None:
        """Clear what is kept of these sessions. Without Redis what it holds is cleared by the clock, or expires."""
        for ending in endings:
            for forget in self._forget:
                forget(ending.session_id)
        try:
            pipe = self._redis.pipeline()
            for ending in endings:
                _clear(pipe, ending)
            pipe.execute()
        except RedisError as error:
            log.warning("session.not_cleared", sessions=[e.session_id for e in endings], error=repr(error))


def _clear(pipe: Pipeline, ending: Ending) -> None:
    at, session_id = now(), ending.session_id
    # The mark first: what is written before it is deleted below, what would be written after it is refused.
    pipe.set(keyspace.ended(session_id), b"1", px=_milliseconds(ending.expires_at - at) + 1000 * keyspace.ENDED_MARGIN)
    pipe.delete(*keyspace.of_face(session_id), *(keyspace.chip(frame_id) for frame_id in ending.sampled))
    if ending.portrait_from is None:
        pipe.delete(keyspace.portrait(session_id))
    else:
        left = ending.portrait_from + keyspace.PORTRAIT_TTL - at
        pipe.pexpire(keyspace.portrait(session_id), _milliseconds(left))


class SessionScript:
    """A Lua script that writes something of a session into Redis, and does nothing once the session has ended.

    The script's KEYS[2] is the key that it writes; KEYS[1] is the session's mark.
    """

    def __init__(self, text: str) -> None:
        self._lua = Lua('if redis.call("exists", KEYS[1]) == 1 then return false end\n' + text)

    def __call__(self, redis: Redis, session_id: str, key: str, *arguments: str | bytes | float) -> object:
        """Run the script; one round trip. None where the session has ended. On a pipeline the reply is what counts."""
        return self._lua(redis, [keyspace.ended(session_id), key], arguments)


#: ARGV: value, milliseconds to live.
_PUT = SessionScript('return redis.call("set", KEYS[2], ARGV[1], "px", ARGV[2])')


def put(redis: Redis, session_id: str, key: str, value: bytes, ttl: float) -> None:
    """Set a key for `ttl` seconds, unless the session has ended. Takes a client or a pipeline."""
    _PUT(redis, session_id, key, value, _milliseconds(ttl))


def _milliseconds(seconds: float) -> int:
    """At least one: Redis refuses to keep a key for none."""
    return max(1, int(seconds * 1000))
