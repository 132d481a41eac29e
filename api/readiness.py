"""Whether frames can be judged: each part is asked to do what a frame asks of it, and what is missing is said in words.

Anybody may ask, so it costs little however often it is asked. Looks are made one at a time, AT_MOST in a PERIOD; whoever
asks beyond that is told what the latest look has seen. Whoever asks while a look takes long is told so, and what it has
seen so far.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import structlog
from redis.exceptions import RedisError

from shared.db import trying as database
from shared.handoff import worker_presence
from shared.queue import trying as queue_
from shared.queue.messages import FRAMES, IDENTITY
from shared.redis import trying as redis
from shared.redis.timekeeping import now

if TYPE_CHECKING:
    from api.resources import Resources

#: Most looks in PERIOD seconds: enough for several balancers that ask each second, and no load for the servers.
AT_MOST, PERIOD = 10, 2.0
#: Seconds for which a request waits for a look that another request has begun; more than a look takes on a busy machine,
#: and less than a part that hangs.
WAIT = 3.0

OK = "ok"
UNKNOWN = "Cannot be told without Redis."

log = structlog.get_logger(__name__)


class Missing(Exception):
    """Raised if a part is missing; the text is the sentence about it."""


class Look:
    """One look at all parts, and what it has seen so far."""

    def __init__(self, parts: Mapping[str, object]) -> None:
        self.outcomes = dict.fromkeys(parts, "Has been asked, and has not answered yet.")
        self.over = threading.Event()
        self.began = time.monotonic()


class Readiness:
    """What one process knows of the parts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: Look | None = None
        self._begun: deque[float] = deque(maxlen=AT_MOST)

    def outcomes(self, deps: Resources) -> dict[str, str]:
        """A sentence for each part: `ok`, or what is missing."""
        with self._lock:
            look = self._latest
            mine = look is None or (look.over.is_set() and self._may_begin())
            if mine:
                look = self._latest = Look(CHECKS)
                self._begun.append(look.began)
        assert look is not None
        if mine:
            _take(look, deps)
        else:
            look.over.wait(max(0.0, look.began + WAIT - time.monotonic()))
        return dict(look.outcomes)

    def _may_begin(self) -> bool:
        return len(self._begun) < AT_MOST or time.monotonic() - self._begun[0] > PERIOD


def _take(look: Look, deps: Resources) -> None:
    try:
        for name, check in CHECKS.items():
            look.outcomes[name] = _outcome(name, check, deps, look.outcomes)
    finally:
        look.over.set()


_Seen = Mapping[str, str]


def _outcome(name: str, check: Callable[[Resources, _Seen], None], deps: Resources, seen: _Seen) -> str:
    try:
        check(deps, seen)
    except Missing as missing:
        cause = missing.__cause__
        log.warning("not_ready", part=name, reason=str(missing), error=repr(cause) if cause else None)
        return str(missing)
    return OK


def _check_redis(deps: Resources, _seen: _Seen) -> None:
    try:
        redis.try_to_write(deps.redis)
    except Exception as error:
        raise Missing(f"Redis at REDIS_URL {redis.what_ails(error)}.") from error


def _check_database(deps: Resources, _seen: _Seen) -> None:
    try:
        database.try_to_write(deps.engine)
    except Exception as error:
        raise Missing(f"The database at DATABASE_URL {database.what_ails(error)}.") from error


def _check_queue(deps: Resources, seen: _Seen) -> None:
    if deps.settings.queue_url == deps.settings.redis_url:
        if seen["redis"] != OK:
            raise Missing("The queue at QUEUE_URL is the Redis at REDIS_URL, and is missing with it.")
        return
    try:
        queue_.try_to_send(deps.broker)
    except Exception as error:
        raise Missing(f"The queue at QUEUE_URL {queue_.what_ails(error)}.") from error


def _check_workers(deps: Resources, seen: _Seen) -> None:
    if not _served(deps, FRAMES, seen):
        raise Missing("No worker has been seen lately: start one, or look at its log.")


def _check_identity(deps: Resources, seen: _Seen) -> None:
    if deps.settings.identity and not _served(deps, IDENTITY, seen):
        raise Missing(
            "No worker of the queue `identity` has been seen lately: start one, look at its log, or set IDENTITY=off."
        )


def _served(deps: Resources, queue: str, seen: _Seen) -> int:
    if seen["redis"] != OK:
        raise Missing(UNKNOWN)
    try:
        return worker_presence.seen_lately(deps.redis, now(), queue)
    except RedisError as error:
        raise Missing(UNKNOWN) from error


#: The parts by name, in the order in which they are asked. A function raises `Missing`; it is given what was seen before.
CHECKS: dict[str, Callable[[Resources, _Seen], None]] = {
    "redis": _check_redis,
    "database": _check_database,
    "queue": _check_queue,
    "workers": _check_workers,
    "identity": _check_identity,
}
