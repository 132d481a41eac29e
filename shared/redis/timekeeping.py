"""The service's time: the same for all processes on all machines, and steady even if their clocks are set.

A frame's arrival is noted on one machine, judged on another and timed out on a third. Their clocks may differ, and one may
be set in the middle of a session: forward it would fail every session, backward no challenge could pass or end. So the time
is that of Redis, asked for every few seconds and kept in between by the process's monotonic clock. A jump of Redis' own
clock is followed slowly.

`now()` never waits and does not need Redis: without it, or before `keep_time`, it goes on from the last known time, at
first that of this machine's clock.
"""

from __future__ import annotations

import threading
import time

import structlog
from redis import Redis
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

#: Seconds between two requests for Redis' time.
EVERY = 5.0

#: Largest correction in seconds for each second that passes, once the time is known: a minute takes twenty minutes.
SLEW = 0.05

#: Longest round trip in seconds of a request that is used: Redis may have answered at any moment of a longer one.
PRECISE = 0.1

#: Least difference in seconds that is logged.
LOGGED_FROM = 1.0

#: A monotonic clock, if possible one that also runs while the machine sleeps.
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def _steady() -> float:
    return time.clock_gettime(_STEADY)


class Timekeeper:
    """The clock of one process, corrected by Redis' time."""

    def __init__(self) -> None:
        self._offset = time.time() - _steady()
        self._looked_at: float | None = None

    def now(self) -> float:
        """The service's time in seconds since the epoch."""
        return _steady() + self._offset

    def look(self, redis: Redis) -> None:
        """Ask Redis for the time, adopt it at once the first time and follow it slowly after that. Raises RedisError."""
        asked = _steady()
        seconds, microseconds = redis.time()
        answered = _steady()
        if answered - asked <= PRECISE or self._looked_at is None:
            self._correct(seconds + microseconds / 1e6 - (asked + answered) / 2, answered)

    def _correct(self, offset: float, at: float) -> None:
        """Move the offset from the steady clock towards `offset`; at: the steady clock's time of the reply."""
        difference = offset - self._offset
        if abs(difference) >= LOGGED_FROM:
            log.warning(
                "time.differs", seconds=round(difference, 3), followed="slowly" if self._looked_at else "at once"
            )
        if self._looked_at is not None:
            most = SLEW * (at - self._looked_at)
            difference = max(-most, min(most, difference))
        self._offset += difference
        self._looked_at = at


_keeper = Timekeeper()


def now() -> float:
    """The service's time in seconds since the epoch."""
    return _keeper.now()


def keep_time(redis: Redis) -> Keeping:
    """Follow Redis' time from now on, in a thread; call it once a process, after forking. Close the result at the end."""
    keeping = Keeping(_keeper, redis)
    keeping.start()
    return keeping


class Keeping(threading.Thread):
    """A thread that asks Redis for the time every few seconds."""

    def __init__(self, keeper: Timekeeper, redis: Redis) -> None:
        super().__init__(name="timekeeping", daemon=True)
        self._keeper, self._redis = keeper, redis
        self._stopped = threading.Event()
        self._look()  # before the first frame arrives

    def run(self) -> None:
        """Ask for the time until `close` is called."""
        while not self._stopped.wait(EVERY):
            self._look()

    def close(self) -> None:
        """Stop, and wait for the thread to end."""
        self._stopped.set()
        self.join()

    def _look(self) -> None:
        try:
            self._keeper.look(self._redis)
        except RedisError as error:
            # The clock goes on without Redis; parts that need Redis for more log its absence themselves.
            log.debug("time.not_looked_up", error=repr(error))
