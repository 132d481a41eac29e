"""The relay: publishes the events of the outbox to the broker, at least once, and in order for each session.

Any number of relays may run; a lease in the database lets one at a time work. An event is marked as published after the
broker has accepted it, so a relay that is killed in between leaves events that the next one publishes again with the same
id. No event is lost, but a subscriber may receive one twice, even after a later one; `sequence` gives the order.
"""

from __future__ import annotations

import random
import threading
from typing import Any, Protocol

import structlog
from sqlalchemy import Engine

from shared.db import UnitOfWork
from shared.db.outbox import Told
from shared.redis.timekeeping import now
from workers.events.cloudevents import BROKER_TIMEOUT, cloud_event
from workers.lease import Lease

log = structlog.get_logger(__name__)

#: Seconds between two reads of an empty outbox; each reads an index of unpublished events.
TICK = 0.25
#: Most events that are read at a time.
BATCH = 100
#: Seconds of the lease, after which another relay takes over from one that was killed.
LEASE = 10.0
#: Seconds of the lease that must be left when an event is published, which never takes longer.
MARGIN = 2 * BROKER_TIMEOUT
#: The first and the longest pause in seconds before an unavailable broker is tried again.
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0


class Publishes(Protocol):
    """The interface that the relay needs of `workers.events.publisher.Publisher`."""

    def prepare(self) -> None:
        """Called before each batch; raises if the broker is unavailable."""

    def publish(self, event: dict[str, Any]) -> None:
        """Publish an event; raises if it is not certain that the broker accepted it."""

    def close(self) -> None:
        """Close the connection."""


class Relay(threading.Thread):
    """A thread that publishes the outbox until it is stopped."""

    def __init__(self, engine: Engine, publisher: Publishes, source: str) -> None:
        """source: the name of this service in its events (ISSUER)."""
        super().__init__(name="relay", daemon=True)
        self._engine = engine
        self._publisher = publisher
        self._source = source
        self._lease = Lease(engine, "relay", LEASE, renew_at=MARGIN + 1.0)
        self._stopped = threading.Event()
        self._failures = 0

    def run(self) -> None:
        """Publish until `stop` is called."""
        while not self._stopped.is_set():
            try:
                more = self.step()
                if self._failures:
                    log.info("events.published_again", after_tries=self._failures)
                self._failures = 0
            except Exception as error:  # noqa: BLE001 - logged by `_note`, but not each time
                # Whatever fails, mostly the broker or the database: the events stay in the outbox.
                self._note(error)
                more = False
            if not more:
                self._stopped.wait(self._pause())
        self._publisher.close()
        self._lease.release()

    def stop(self) -> None:
        """Stop after the current event, and wait for the thread to end."""
        self._stopped.set()
        self.join(BROKER_TIMEOUT + 2.0)

    def step(self) -> bool:
        """Publish one batch unless another relay holds the lease; return whether more events may be waiting."""
        with UnitOfWork(self._engine, read_only=True) as uow:
            if not uow.outbox.waiting(1):
                return False
        if not self._lease.hold():
            return False
        # Read while we hold the lease: what another relay published before is marked, unless it was killed.
        with UnitOfWork(self._engine, read_only=True) as uow:
            batch = uow.outbox.waiting(BATCH)
        done: list[int] = []
        self._publisher.prepare()
        try:
            for told in batch:
                if self._stopped.is_set() or self._lease.left < MARGIN:
                    break
                self._publish(told)
                done.append(told.id)
        finally:
            if done:
                with UnitOfWork(self._engine) as uow:
                    uow.outbox.published(done, now())
                    uow.commit()
        return len(done) < len(batch) or len(batch) == BATCH

    def _publish(self, told: Told) -> None:
        self._publisher.publish(cloud_event(told, self._source))

    def _note(self, error: Exception) -> None:
        self._failures += 1
        # Logged at the first failure and then rarely, since an outage may last for hours.
        if self._failures in (1, 10) or self._failures % 100 == 0:
            log.warning("events.not_published", tries=self._failures, error=repr(error))

    def _pause(self) -> float:
        if not self._failures:
            return TICK
        longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(self._failures - 1, 10))
        return random.uniform(longest / 2, longest)  # noqa: S311 - jitter, so that relays do not retry at once
