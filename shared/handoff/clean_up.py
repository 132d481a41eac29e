"""The end of a session: everything that follows it outside the database, whichever way the session ended.

Frames, comparisons of faces, the clock, GET, DELETE, failed creations and the purge all end sessions in a
`shared.db.UnitOfWork`, which raises RuntimeError unless it is given `Endings` to call after its commit. Rows, events and the
count of failed attempts are the unit of work's own part of an end.

`Endings` marks an ended session in Redis. `SessionScript`, by which everything about a session's face is written, writes
nothing for a marked session, so a worker that is still busy with one of its frames leaves nothing behind. If a process is
killed between its commit and the mark, the clock marks and clears the session later (`workers.clock`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog
from redis import Redis
from redis.client import Pipeline
from redis.exceptions import RedisError

from shared.db.ended import Ending
from shared.redis import keyspace
from shared.redis.script import Lua
from shared.redis.timekeeping import now

log = structlog.get_logger(__name__)


class Endings:
    """Clears Redis and the process's own caches of sessions that have ended; a second time changes nothing."""

    def __init__(self, redis: Redis, *forget: Callable[[str], None]) -> None:
        """forget: functions of this process's caches, called with the id of each ended session."""
        self._redis = redis
        self._forget = forget

    def __call__(self, endings: Sequence[Ending]) -> None:
        """Clear these sessions from Redis and caches. If Redis is away, the clock clears it later, or the keys expire."""
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


#: A portrait that has been fetched keeps its short time. ARGV: milliseconds to live.
_KEEP_PORTRAIT = Lua(
    'if redis.call("hexists", KEYS[1], "fetched") == 0 then redis.call("pexpire", KEYS[1], ARGV[1]) end'
)


def _clear(pipe: Pipeline, ending: Ending) -> None:
    at, session_id = now(), ending.session_id
    # The mark comes first: keys written before it are deleted below, and later writes are refused.
    pipe.set(keyspace.ended(session_id), b"1", px=_milliseconds(ending.expires_at - at) + 1000 * keyspace.ENDED_MARGIN)
    pipe.delete(keyspace.sequence(session_id), *(keyspace.crops(frame_id) for frame_id in ending.cropped))
    pipe.delete(
        *keyspace.of_face(session_id),
        *(key(frame_id) for frame_id in ending.sampled for key in (keyspace.chip, keyspace.candidate)),
    )
    if ending.portrait_from is None:
        pipe.delete(keyspace.portrait(session_id))
    else:
        left = ending.portrait_from + keyspace.PORTRAIT_TTL - at
        _KEEP_PORTRAIT(pipe, [keyspace.portrait(session_id)], [_milliseconds(left)])


class SessionScript:
    """A Lua script that writes a key of a session, and does nothing once the session has ended.

    In the script KEYS[2] is the key to write; KEYS[1] is the mark of the session.
    """

    def __init__(self, text: str) -> None:
        self._lua = Lua('if redis.call("exists", KEYS[1]) == 1 then return false end\n' + text)

    def __call__(self, redis: Redis, session_id: str, key: str, *arguments: str | bytes | float) -> object:
        """Run the script in one round trip; None if the session has ended. On a pipeline: its reply."""
        return self._lua(redis, [keyspace.ended(session_id), key], arguments)


#: ARGV: value, milliseconds to live.
_PUT = SessionScript('return redis.call("set", KEYS[2], ARGV[1], "px", ARGV[2])')


def put(redis: Redis, session_id: str, key: str, value: bytes, ttl: float) -> None:
    """Set a key for `ttl` seconds, unless the session has ended. Takes a client or a pipeline."""
    _PUT(redis, session_id, key, value, _milliseconds(ttl))


def _milliseconds(seconds: float) -> int:
    """Seconds as milliseconds, at least one: Redis refuses a time to live of none."""
    return max(1, int(seconds * 1000))
