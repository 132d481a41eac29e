"""A lease: of several processes that could do the same work, one does it."""

from __future__ import annotations

import time
import uuid

import structlog
from sqlalchemy import Engine

from shared.db import UnitOfWork
from shared.redis.timekeeping import now

log = structlog.get_logger(__name__)


class Lease:
    """A name that one process holds at a time, in the database's table `leases`.

    A holder that is killed loses the lease `ttl` seconds after it renewed it last. A lease spares work and guards nothing:
    a holder that was held up may take it for its own a moment longer.
    """

    def __init__(self, engine: Engine, name: str, ttl: float, *, renew_at: float | None = None) -> None:
        """ttl: seconds. renew_at: seconds of them that are left when the lease is renewed; half of them by default."""
        self._engine = engine
        self._name = name
        self._ttl = ttl
        self._renew_at = ttl / 2 if renew_at is None else renew_at
        self._me = uuid.uuid4().hex
        #: Until when the lease is held, by the monotonic clock.
        self._until = 0.0

    @property
    def left(self) -> float:
        """Seconds for which the lease is held; 0 or less where it is not."""
        return self._until - time.monotonic()

    def hold(self) -> bool:
        """Take the lease or renew it; False if another process has it.

        Renewed only when little of it is left, so that a row is not written at each call. Raises SQLAlchemyError.
        """
        if self.left > self._renew_at:
            return True
        asked = time.monotonic()
        with UnitOfWork(self._engine) as uow:
            held = uow.leases.hold(self._name, self._me, now(), self._ttl)
            uow.commit()
        self._until = asked + self._ttl if held else 0.0
        return held

    def release(self) -> None:
        """Give the lease back where it is held, so that another process need not wait until it runs out."""
        if not self._until:
            return
        self._until = 0.0
        try:
            with UnitOfWork(self._engine) as uow:
                uow.leases.release(self._name, self._me)
                uow.commit()
        except Exception:
            log.exception("lease.not_released", name=self._name)  # it runs out by itself
