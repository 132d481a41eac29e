"""The relay: what waits in the outbox goes to the broker, at least once, and for each session in order.

Any number may run; one at a time works, by a lease in the database. An event is marked when the broker has it: a relay
that is killed between the two leaves events that the next one publishes again, with the same id. So none is lost, and a
subscriber may see one twice; the repetition of an earlier event may even come after a later one. `sequence` tells.
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

#: Seconds between two looks at an outbox in which nothing waits. One look is one read of an index of what waits.
TICK = 0.25
#: How many events are taken at a time.
BATCH = 100
#: Seconds after which another relay takes over from one that was killed.
LEASE = 10.0
#: Seconds of the lease that must be left when an event is given to the broker: it is never longer under way.
MARGIN = 2 * BROKER_TIMEOUT
#: Seconds until the first and the longest pause after which a broker that is away is tried again.
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0


class Publishes(Protocol):
    """What is needed of `workers.events.publisher.Publisher`."""

    def prepare(self) -> None:
        """Called before each batch; raises where the broker is away."""

    def publish(self, event: dict[str, Any]) -> None:
        """Returns when the broker has it; raises where that is not certain."""

    def close(self) -> None:
        """Close the connection."""


class Relay(threading.Thread):
    """Publishes until it is stopped."""

    def __init__(self, engine: Engine, publisher: Publishes, source: str) -> None:
        """source: what this service calls itself in its events."""
        super().__init__(name="relay", daemon=True)
        self._engine = engine
        self._publisher = publisher
        self._source = source
        self._lease = Lease(engine, "relay", LEASE, renew_at=MARGIN + 1.0)
        self._stopped = threading.Event()
        self._failures = 0

    def run(self) -> None:
        """Go, until `stop`."""
        while not self._stopped.is_set():
            try:
                more = self.step()
                if self._failures:
                    log.info("events.published_again", after_tries=self._failures)
                self._failures = 0
            except Exception as error:  # noqa: BLE001 - told by `_note`, but not each time
                # The broker or the database is away: whatever it is, the events wait where they are.
                self._note(error)
                more = False
            if not more:
                self._stopped.wait(self._pause())
        self._publisher.close()
        self._lease.release()

    def stop(self) -> None:
        """Stop, after the event in hand, and wait for it."""
        self._stopped.set()
        self.join(BROKER_TIMEOUT + 2.0)

    def step(self) -> bool:
        """Publish one batch, if any waits and no other relay is at it; whether there may be more."""
        with UnitOfWork(self._engine, read_only=True) as uow:
            if not uow.outbox.waiting(1):
                return False
        if not self._lease.hold():
            return False
        # Read after the lease has been taken: what another relay had in hand is marked by now, or its lease has run out.
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
        # Once when it begins and then now and then: it may last for hours.
        if self._failures in (1, 10) or self._failures % 100 == 0:
            log.warning("events.not_published", tries=self._failures, error=repr(error))

    def _pause(self) -> float:
        if not self._failures:
            return TICK
        longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(self._failures - 1, 10))
        return random.uniform(longest / 2, longest)  # noqa: S311 - so that several do not come back at the same moment
