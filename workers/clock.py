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

from shared.db import Ending, OnEnd, UnitOfWork, make_engine
from shared.handoff.endings import Endings
from shared.liveness.evidence import FITTED, Weighing
from shared.own_secrets import keep_own
from shared.redis import timekeeping
from shared.redis.client import make_redis
from shared.redis.keyspace import PORTRAIT_TTL
from shared.settings import Settings, load_settings_or_exit
from shared.telemetry.logs import configure_logging
from shared.telemetry.metrics.pushing import Pusher, started
from workers.lease import Lease

log = structlog.get_logger(__name__)

#: Seconds between two rounds of the chores.
TICK = 1.0

#: Seconds after which another clock takes over from one that was killed.
LEASE = 5.0

#: Seconds after a session's end for which the measures of its frames are kept: a frame may still be under way.
REMEMBER = 60.0

#: Seconds by which two searches for deleted sessions overlap: a deletion can be found only once it is committed.
OVERLAP = 30.0

#: Most rows that a chore works on at a time.
BATCH = 100


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


class Sessions:
    """The chores about sessions, their events and their webhook deliveries."""

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
        """on_end: the clean-up after a session's end. retention: seconds for which the row of an ended session is kept.

        events_retention: seconds after which an unpublished event is deleted. session_ttl: seconds until a session expires.
        weighing: the weights and thresholds of verdicts.
        """
        self._on_end = on_end
        self._session_ttl = session_ttl
        #: Deletions before this time have been cleared.
        self._deleted_until = 0.0
        self._weighing = weighing
        self._engine = engine
        self._events_retention = events_retention
        self._retention = retention

    def end_overdue(self, now: float) -> bool:
        """End the sessions that are overdue."""
        with UnitOfWork(self._engine, read_only=True) as uow:
            overdue = uow.sessions.overdue(now, BATCH)
        ended = sum(self._end(session_id, now) for session_id in overdue)
        return ended == BATCH

    def _end(self, session_id: str, now: float) -> bool:
        """Let time pass for one session, in a unit of work of its own, so that frames of other sessions need not wait."""
        try:
            with UnitOfWork(self._engine, on_end=self._on_end) as uow:
                session = uow.sessions.get(session_id, lock=True)
                if session is not None:
                    session.tick(now, self._weighing)
                    uow.sessions.save(session)
                    uow.commit()
        except Exception:
            log.exception("session.not_ended", session_id=session_id)  # one bad row must not stop the others
            return False
        return True

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
    """The chores that delete what outlives a session: audit entries, tombstones and failed attempts."""

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
    keep_own("clock")
    settings = load_settings_or_exit()
    configure_logging(settings)
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
