"""What time it is, the same for all processes on all machines, and going on evenly whatever their clocks do.

A frame's arrival is noted by one machine, judged by another and timed out by a third. Their clocks may differ, and one may
be set while people are in the middle of their session: forwards it would fail them all, backwards nothing would pass or end.
So time is Redis' (which all of them talk to), looked up every few seconds, and kept in between by this process's monotonic
clock. When Redis' own clock jumps, it is followed slowly.

`now()` never waits and needs no Redis: before `keep_time` and without Redis it goes on from what was known last, at first
this machine's own clock.
"""

from __future__ import annotations

import threading
import time

import structlog
from redis import Redis
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

#: Seconds between two looks.
EVERY = 5.0

#: How many seconds each second may be put right by, once time is known: a jump of a minute is followed within twenty.
SLEW = 0.05

#: A look that took longer, in seconds, tells too little: the answer may have come from either end of it.
PRECISE = 0.1

#: Seconds of difference from which it is worth a line in the log.
WORTH_TELLING = 1.0

#: Counts on while the machine sleeps, where the system has such a clock.
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def _steady() -> float:
    return time.clock_gettime(_STEADY)


class Timekeeper:
    """Keeps the time of one process."""

    def __init__(self) -> None:
        self._offset = time.time() - _steady()
        self._looked_at: float | None = None

    def now(self) -> float:
        """The time, in seconds since the epoch."""
        return _steady() + self._offset

    def look(self, redis: Redis) -> None:
        """Ask Redis for the time: taken over at once the first time, followed slowly after that. May raise RedisError."""
        asked = _steady()
        seconds, microseconds = redis.time()
        answered = _steady()
        if answered - asked <= PRECISE or self._looked_at is None:
            self._put_right(seconds + microseconds / 1e6 - (asked + answered) / 2, answered)

    def _put_right(self, offset: float, at: float) -> None:
        """offset: what is to be added to the steady clock for Redis' time. at: by the steady clock."""
        difference = offset - self._offset
        if abs(difference) >= WORTH_TELLING:
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
    """The service's time, in seconds since the epoch."""
    return _keeper.now()


def keep_time(redis: Redis) -> Keeping:
    """Keep this process's time by Redis' from now on, in a thread; to be called after a fork, once a process."""
    keeping = Keeping(_keeper, redis)
    keeping.start()
    return keeping


class Keeping(threading.Thread):
    """Looks every few seconds, until it is stopped."""

    def __init__(self, keeper: Timekeeper, redis: Redis) -> None:
        super().__init__(name="timekeeping", daemon=True)
        self._keeper, self._redis = keeper, redis
        self._stopped = threading.Event()
        self._look()  # so that the first frame is timed as all others

    def run(self) -> None:
        """Look."""
        while not self._stopped.wait(EVERY):
            self._look()

    def close(self) -> None:
        """Look no more."""
        self._stopped.set()
        self.join()

    def _look(self) -> None:
        try:
            self._keeper.look(self._redis)
        except RedisError as error:
            # The time goes on, and whoever needs Redis for more than that says so louder.
            log.debug("time.not_looked_up", error=repr(error))
