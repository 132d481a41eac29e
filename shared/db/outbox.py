"""The outbox: events that `SessionRepository` writes with each change, until the relay has published them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select, update

from shared.db.tables import outbox

_WAITING = (
    select(outbox.c.id, outbox.c.event_id, outbox.c.session_id, outbox.c.type, outbox.c.at, outbox.c.data)
    .where(outbox.c.published_at.is_(None))
    .order_by(outbox.c.id)
    .limit(bindparam("most"))
)
_PUBLISHED = (
    update(outbox)
    .where(outbox.c.id.in_(bindparam("ids", expanding=True)), outbox.c.published_at.is_(None))
    .values(published_at=bindparam("now"))
)


@dataclass(frozen=True, slots=True)
class Told:
    """A row of the outbox: an event as it is to be published."""

    #: Grows with each event; within one session in the order in which they happened.
    id: int
    event_id: str
    session_id: str
    type: str
    at: float
    data: dict[str, Any]


class OutboxRepository:
    """The repository of the outbox within one unit of work: `uow.outbox`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def waiting(self, limit: int) -> list[Told]:
        """Up to `limit` unpublished events, in the order of writing.

        Selected by `published_at`, not by the last id that was seen: a unit that began earlier may commit later, and its
        events then have smaller ids than published ones. Events of one session stay in order, by the lock of its row.
        """
        return [Told(*row) for row in self._connection.execute(_WAITING, {"most": limit})]

    def backlog(self) -> tuple[int, float | None]:
        """How many events are unpublished, and the time of the first of them."""
        count = select(func.count()).where(outbox.c.published_at.is_(None)).select_from(outbox)
        first = select(outbox.c.at).where(outbox.c.published_at.is_(None)).order_by(outbox.c.id).limit(1)
        return self._connection.scalar(count) or 0, self._connection.scalar(first)

    def published(self, ids: list[int], at: float) -> None:
        """Mark events as published at `at`."""
        if ids:
            self._connection.execute(_PUBLISHED, {"ids": ids, "now": at})

    def give_up(self, before: float, limit: int) -> int:
        """Delete up to `limit` unpublished events from before `before`; return how many were deleted."""
        old = select(outbox.c.id).where(outbox.c.published_at.is_(None), outbox.c.at < before)
        # In the order of the partial index on unpublished events, so that new ones are not scanned each time.
        ids = list(self._connection.scalars(old.order_by(outbox.c.id).limit(limit)))
        if ids:
            self._connection.execute(delete(outbox).where(outbox.c.id.in_(ids)))
        return len(ids)
