"""`python -m workers.clock`: what happens by itself, without a frame.

Sessions whose time is over fail or expire, measures of ended sessions are forgotten, old sessions are purged. One clock
is enough and any number is safe: each change is made under the lock of its row; a lease in Redis only spares the others
the work, and without Redis each does it all.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from shared.db import Ending, OnEnd, UnitOfWork, make_engine
from shared.handoff.endings import Endings
from shared.liveness.evidence import FITTED, Weighing
from shared.redis import timekeeping
from shared.redis.client import make_redis
from shared.redis.keyspace import PORTRAIT_TTL
from shared.settings import Settings, load_settings_or_exit
from shared.telemetry.logs import configure_logging
from shared.telemetry.metrics.pushing import Pusher, started
from workers.lease import Lease

log = structlog.get_logger(__name__)

#: Seconds between two looks at what is to be done.
TICK = 1.0

#: Seconds after which another clock takes over from one that was killed.
LEASE = 5.0

#: Seconds after a session's end for which its frames' measures are kept: a frame may still be under way.
REMEMBER = 60.0

#: Seconds by which two looks at deleted sessions overlap: a deletion is seen once it is committed, not at its own moment.
OVERLAP = 30.0

#: How many sessions are looked up at a time.
BATCH = 100


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to be done every so many seconds. Called with the time; returns whether there may be more of it."""

    name: str
    every: float
    run: Callable[[float], bool]


class Clock:
    """Does each chore when it is due, until it is stopped."""

    def __init__(self, chores: Sequence[Chore], lease: Lease, now: Callable[[], float] = timekeeping.now) -> None:
        self._chores = chores
        self._lease = lease
        self._now = now
        self._due = {chore.name: 0.0 for chore in chores}
        self._stopped = threading.Event()

    def run(self) -> None:
        """Go, until `stop`."""
        while not self._stopped.is_set():
            if self._mine():
                for chore in self._chores:
                    self._do(chore)
            self._stopped.wait(TICK)
        self._lease.release()

    def stop(self) -> None:
        """Stop, after the row in hand. May be called by a signal's handler."""
        self._stopped.set()

    def _mine(self) -> bool:
        try:
            return self._lease.hold()
        except SQLAlchemyError as error:
            log.warning("clock.no_lease", error=str(error))
            return False

    def _do(self, chore: Chore) -> None:
        # Intervals by the monotonic clock: one that is set back must not stop the chores.
        if time.monotonic() < self._due[chore.name]:
            return
        self._due[chore.name] = time.monotonic() + chore.every
        try:
            while not self._stopped.is_set() and chore.run(self._now()):
                self._mine()  # a long chore keeps its lease
        except Exception:
            # The database is away, or there is a fault in this chore: the others go on, and this one at its next turn.
            log.exception("clock.chore_failed", chore=chore.name)


class Sessions:
    """The chores that sessions make."""

    def __init__(
        self,
        engine: Engine,
        on_end: OnEnd,
        *,
        retention: float,
        events_retention: float = 7 * 86400.0,
        session_ttl: float = 300.0,
        weighing: Weighing = FITTED,
    ) -> None:
        """on_end: what follows a session's end. retention: seconds for which the row of an ended session is kept.

        events_retention: seconds after which an event that was never published is given up. session_ttl: seconds that a
        session may take. weighing: what verdicts go by.
        """
        self._on_end = on_end
        self._session_ttl = session_ttl
        #: Deletions up to this moment have been seen.
        self._deleted_until = 0.0
        self._weighing = weighing
        self._engine = engine
        self._events_retention = events_retention
        self._retention = retention

    def end_overdue(self, now: float) -> bool:
        """Fail or expire what is overdue."""
        with UnitOfWork(self._engine, read_only=True) as uow:
            overdue = uow.sessions.overdue(now, BATCH)
        ended = sum(self._end(session_id, now) for session_id in overdue)
        return ended == BATCH

    def _end(self, session_id: str, now: float) -> bool:
        """Let time pass for one session. A unit for each: it is locked no longer than a frame's judge would lock it."""
        try:
            with UnitOfWork(self._engine, on_end=self._on_end) as uow:
                session = uow.sessions.get(session_id, lock=True)
                if session is not None:
                    session.tick(now, self._weighing)
                    uow.sessions.save(session)
                    uow.commit()
        except Exception:
            log.exception("session.not_ended", session_id=session_id)  # one bad row must not hold the others up
            return False
        return True

    def forget_frames(self, now: float) -> bool:
        """Delete the measures of sessions that have ended, and clear the sessions once more.

        Whoever ended one may have been killed between its commit and what follows.
        """
        with UnitOfWork(self._engine, on_end=self._on_end) as uow:
            forgotten = uow.sessions.forget_frames(now - REMEMBER, limit=BATCH)
            uow.commit()
        return forgotten == BATCH

    def purge(self, now: float) -> bool:
        """Delete sessions that ended long ago."""
        with UnitOfWork(self._engine, on_end=self._on_end) as uow:
            purged = uow.sessions.purge(now - self._retention, limit=BATCH)
            uow.commit()
        if purged:
            log.info("sessions.purged", count=purged)
        return purged == BATCH

    def clear_deleted(self, now: float) -> bool:
        """Clear sessions that were deleted lately once more, for the same reason as in `forget_frames`."""
        # Of one that was deleted longer ago everything has expired: a session's time, and its portrait's.
        since = max(self._deleted_until - OVERLAP, now - self._session_ttl - PORTRAIT_TTL)
        with UnitOfWork(self._engine, read_only=True) as uow:
            deleted = uow.trail.deleted(since)
        for start in range(0, len(deleted), BATCH):
            self._on_end(
                [Ending(d.session_id, d.created_at + self._session_ttl) for d in deleted[start : start + BATCH]]
            )
        self._deleted_until = now
        return False

    def purge_deliveries(self, now: float) -> bool:
        """Delete old deliveries of webhooks that are over."""
        with UnitOfWork(self._engine) as uow:
            purged = uow.webhooks.purge(now - self._retention, BATCH)
            uow.commit()
        return purged == BATCH

    def give_up_events(self, now: float) -> bool:
        """Delete events that nobody could be told for so long: the outbox must not grow for ever."""
        with UnitOfWork(self._engine) as uow:
            given_up = uow.outbox.give_up(now - self._events_retention, BATCH)
            uow.commit()
        if given_up:
            remedy = "see whether the process `events` runs and EVENTS_URL answers"
            log.warning("events.given_up", count=given_up, remedy=remedy)
        return given_up == BATCH


class Trails:
    """The chores that make what is kept about sessions go in its time."""

    def __init__(self, engine: Engine, *, audit: float, tombstones: float, attempts: float) -> None:
        """For how many seconds each is kept."""
        self._engine = engine
        self._audit = audit
        self._tombstones = tombstones
        self._attempts = attempts

    def forget_told(self, now: float) -> bool:
        """Delete the events of deleted sessions, once they have been published."""
        with UnitOfWork(self._engine) as uow:
            uow.trail.forget_told(now)
            uow.commit()
        return False

    def purge(self, now: float) -> bool:
        """Delete what is older than it may be."""
        with UnitOfWork(self._engine) as uow:
            purged = uow.trail.purge(
                entries_before=now - self._audit, tombstones_before=now - self._tombstones, limit=BATCH
            )
            failed = uow.attempts.purge(now - self._attempts, limit=BATCH)
            uow.commit()
        return max(purged, failed) == BATCH


def make_clock(settings: Settings, engine: Engine) -> Clock:
    """The clock with all its chores."""
    redis = make_redis(settings.redis_url)
    sessions = Sessions(
        engine,
        Endings(redis),
        retention=settings.retention_hours * 3600,
        events_retention=settings.events_retention_hours * 3600,
        session_ttl=settings.session_ttl,
        weighing=settings.weighing,
    )
    trails = Trails(
        engine,
        audit=settings.audit_days * 86400,
        tombstones=settings.tombstone_days * 86400,
        attempts=settings.attempts_window,
    )
    return Clock(
        [
            Chore("end_overdue", TICK, sessions.end_overdue),
            Chore("forget_frames", 5.0, sessions.forget_frames),
            Chore("clear_deleted", 15.0, sessions.clear_deleted),
            Chore("purge", 60.0, sessions.purge),
            Chore("give_up_events", 60.0, sessions.give_up_events),
            Chore("purge_deliveries", 60.0, sessions.purge_deliveries),
            Chore("forget_told", 60.0, trails.forget_told),
            Chore("purge_trails", 60.0, trails.purge),
        ],
        Lease(engine, "clock", LEASE),
    )


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    settings = load_settings_or_exit()
    configure_logging(settings)
    engine = make_engine(settings.database_url, pool_size=1)
    redis = make_redis(settings.redis_url)
    keeping = timekeeping.keep_time(redis)
    clock = make_clock(settings, engine)
    for stopping in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stopping, lambda _signal, _frame: clock.stop())
    pusher = started(Pusher(make_redis(settings.redis_url))) if settings.metrics_token is not None else None
    log.info("clock.started")
    clock.run()
    if pusher is not None:
        pusher.close()
    keeping.close()
    engine.dispose()
    log.info("clock.stopped")


if __name__ == "__main__":
    main()
