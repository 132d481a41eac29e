"""`python -m workers.clock`: everything that happens by time alone, without a frame or a request.

Overdue sessions fail, expire or conclude; measures of ended sessions are deleted; old rows are purged. One clock is enough
and any number is safe: each change is made under the lock of its row, and a lease lets one clock at a time do the work.
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

from shared.at_start import refuse_unusable
from shared.db import Ending, OnEnd, UnitOfWork, make_engine, truncate_log
from shared.handoff.clean_up import Endings
from shared.own_secrets import keep_own
from shared.redis import timekeeping
from shared.redis.client import make_redis
from shared.redis.keyspace import PORTRAIT_TTL
from shared.settings import Settings, load_settings_or_exit
from shared.telemetry.logs import configure_logging
from shared.telemetry.metrics.pushing import Pusher, started
from workers.lease import Lease
from workers.overdue_sessions import BATCH, OverdueSessions

log = structlog.get_logger(__name__)

#: Seconds between two rounds of the chores.
TICK = 1.0

#: Seconds after which another clock takes over from one that was killed.
LEASE = 5.0

#: Seconds after a session's end for which the measures of its frames are kept: a frame may still be under way.
REMEMBER = 60.0

#: Seconds by which two searches for deleted sessions overlap: a deletion can be found only once it is committed.
OVERLAP = 30.0


@dataclass(frozen=True, slots=True)
class Chore:
    """A piece of regular work.

    `run` is called with the time, every `every` seconds, and again at once for as long as it returns True (more to do).
    """

    name: str
    every: float
    run: Callable[[float], bool]


class Clock:
    """Runs each chore when it is due, until it is stopped."""

    def __init__(self, chores: Sequence[Chore], lease: Lease, now: Callable[[], float] = timekeeping.now) -> None:
        self._chores = chores
        self._lease = lease
        self._now = now
        self._due = {chore.name: 0.0 for chore in chores}
        self._stopped = threading.Event()

    def run(self) -> None:
        """Run the chores until `stop` is called."""
        while not self._stopped.is_set():
            if self._mine():
                for chore in self._chores:
                    self._do(chore)
            self._stopped.wait(TICK)
        self._lease.release()

    def stop(self) -> None:
        """Stop after the current batch. Safe to call from a signal handler."""
        self._stopped.set()

    def _mine(self) -> bool:
        try:
            return self._lease.hold()
        except SQLAlchemyError as error:
            log.warning("clock.no_lease", error=str(error))
            return False

    def _do(self, chore: Chore) -> None:
        # By the monotonic clock: setting the wall clock back must not stop the chores.
        if time.monotonic() < self._due[chore.name]:
            return
        self._due[chore.name] = time.monotonic() + chore.every
        try:
            while not self._stopped.is_set() and chore.run(self._now()):
                self._mine()  # renews the lease during a long chore
        except Exception:
            # Whatever is wrong, the other chores go on, and this one is tried again when it is due.
            log.exception("clock.chore_failed", chore=chore.name)


class Retention:
    """The chores that delete what is left of ended sessions: their rows, events and webhook deliveries."""

    def __init__(
        self,
        engine: Engine,
        on_end: OnEnd,
        *,
        retention: float,
        events_retention: float = 7 * 86400.0,
        session_ttl: float = 300.0,
    ) -> None:
        """on_end: the clean-up after a session's end. retention: seconds for which the row of an ended session is kept.

        events_retention: seconds after which an unpublished event is deleted. session_ttl: seconds until a session expires.
        """
        self._on_end = on_end
        self._session_ttl = session_ttl
        #: Deletions before this time have been cleared.
        self._deleted_until = 0.0
        self._engine = engine
        self._events_retention = events_retention
        self._retention = retention

    def forget_frames(self, now: float) -> bool:
        """Delete the frames' measures of sessions that ended REMEMBER seconds ago, and clear the sessions from Redis again.

        The process that ended a session may have been killed between its commit and the clean-up.
        """
        with UnitOfWork(self._engine, on_end=self._on_end) as uow:
            forgotten = uow.sessions.forget_frames(now - REMEMBER, limit=BATCH)
            uow.commit()
        return forgotten == BATCH

    def purge(self, now: float) -> bool:
        """Delete sessions whose retention is over."""
        with UnitOfWork(self._engine, on_end=self._on_end) as uow:
            purged = uow.sessions.purge(now - self._retention, limit=BATCH)
            uow.commit()
        if purged:
            log.info("sessions.purged", count=purged)
        return purged == BATCH

    def clear_deleted(self, now: float) -> bool:
        """Clear lately deleted sessions from Redis again, for the same reason as in `forget_frames`."""
        # Whatever Redis held of a session that was deleted earlier than that has expired.
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
        """Delete old deliveries of webhooks that are finished or given up."""
        with UnitOfWork(self._engine) as uow:
            purged = uow.webhooks.purge(now - self._retention, BATCH)
            uow.commit()
        return purged == BATCH

    def give_up_events(self, now: float) -> bool:
        """Delete events that could not be published within their retention: the outbox must not grow for ever."""
        with UnitOfWork(self._engine) as uow:
            given_up = uow.outbox.give_up(now - self._events_retention, BATCH)
            uow.commit()
        if given_up:
            remedy = "see whether the process `events` runs and EVENTS_URL answers"
            log.warning("events.given_up", count=given_up, remedy=remedy)
        return given_up == BATCH


class Trails:
    """The chores that delete what outlives a session: audit entries, tombstones, failed attempts, and traces in files."""

    def __init__(self, engine: Engine, *, audit: float, tombstones: float, attempts: float) -> None:
        """audit, tombstones, attempts: seconds for which each is kept."""
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
        """Delete entries, tombstones and attempts whose time is over."""
        with UnitOfWork(self._engine) as uow:
            purged = uow.trail.purge(
                entries_before=now - self._audit, tombstones_before=now - self._tombstones, limit=BATCH
            )
            failed = uow.attempts.purge(now - self._attempts, limit=BATCH)
            uow.commit()
        return max(purged, failed) == BATCH

    def empty_log(self, _now: float) -> bool:
        """Empty SQLite's log, in which deleted rows stand until it is written again; tried again later if it is in use."""
        truncate_log(self._engine)
        return False


def make_clock(settings: Settings, engine: Engine) -> Clock:
    """The clock with all its chores."""
    redis = make_redis(settings.redis_url)
    on_end = Endings(redis)
    overdue = OverdueSessions(engine, on_end, settings.weighing)
    retention = Retention(
        engine,
        on_end,
        retention=settings.retention_hours * 3600,
        events_retention=settings.events_retention_hours * 3600,
        session_ttl=settings.session_ttl,
    )
    trails = Trails(
        engine,
        audit=settings.audit_days * 86400,
        tombstones=settings.tombstone_days * 86400,
        attempts=settings.attempts_window,
    )
    return Clock(
        [
            Chore("end_overdue", TICK, overdue.end),
            Chore("forget_frames", 5.0, retention.forget_frames),
            Chore("clear_deleted", 15.0, retention.clear_deleted),
            Chore("purge", 60.0, retention.purge),
            Chore("give_up_events", 60.0, retention.give_up_events),
            Chore("purge_deliveries", 60.0, retention.purge_deliveries),
            Chore("forget_told", 60.0, trails.forget_told),
            Chore("purge_trails", 60.0, trails.purge),
            Chore("empty_log", 5.0, trails.empty_log),
        ],
        Lease(engine, "clock", LEASE),
    )


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    keep_own("clock")
    settings = load_settings_or_exit()
    configure_logging(settings)
    refuse_unusable(settings)
    engine = make_engine(settings.database_url, pool_size=1)
    redis = make_redis(settings.redis_url)
    keeping = timekeeping.keep_time(redis)
    clock = make_clock(settings, engine)
    for stopping in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stopping, lambda _signal, _frame: clock.stop())
    pusher = started(Pusher(make_redis(settings.redis_url))) if settings.counts else None
    log.info("clock.started")
    clock.run()
    if pusher is not None:
        pusher.close()
    keeping.close()
    engine.dispose()
    log.info("clock.stopped")


if __name__ == "__main__":
    main()
