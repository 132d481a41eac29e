"""What happened and waits to be told: the rows that `SessionRepository` wrote together with each change."""

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
    """A row of the outbox."""

    #: Grows; within one session in the order of happening.
    id: int
    event_id: str
    session_id: str
    type: str
    at: float
    data: dict[str, Any]


class OutboxRepository:
    """The outbox within one unit of work: `uow.outbox`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def waiting(self, limit: int) -> list[Told]:
        """What has not been published, in the order of writing, up to so many.

        Not by a number that was reached last: a unit that began earlier may commit later, and its rows then appear before
        others that were published already. Within a session that cannot be: whoever writes of it holds its row's lock.
        """
        return [Told(*row) for row in self._connection.execute(_WAITING, {"most": limit})]

    def backlog(self) -> tuple[int, float | None]:
        """How many have not been published, and when the first of them happened."""
        count = select(func.count()).where(outbox.c.published_at.is_(None)).select_from(outbox)
        first = select(outbox.c.at).where(outbox.c.published_at.is_(None)).order_by(outbox.c.id).limit(1)
        return self._connection.scalar(count) or 0, self._connection.scalar(first)

    def published(self, ids: list[int], at: float) -> None:
        """These have been published."""
        if ids:
            self._connection.execute(_PUBLISHED, {"ids": ids, "now": at})

    def give_up(self, before: float, limit: int) -> int:
        """Delete up to so many that happened before then and were never published; how many it were."""
        old = select(outbox.c.id).where(outbox.c.published_at.is_(None), outbox.c.at < before)
        # In the order of the index of what is not published: what is new is not looked through each time.
        ids = list(self._connection.scalars(old.order_by(outbox.c.id).limit(limit)))
        if ids:
            self._connection.execute(delete(outbox).where(outbox.c.id.in_(ids)))
        return len(ids)
