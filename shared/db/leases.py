"""Rows of leases: which process alone may do something just now. See `workers.lease.Lease`."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, delete, or_, update
from sqlalchemy.dialects import postgresql, sqlite

from shared.db.tables import leases

_RENEW = (
    update(leases)
    .where(
        leases.c.name == bindparam("of_name"),
        or_(leases.c.holder == bindparam("me"), leases.c.until <= bindparam("now")),
    )
    .values(holder=bindparam("me"), until=bindparam("then"))
)
_TAKE = {
    "sqlite": sqlite.insert(leases).on_conflict_do_nothing().execution_options(preserve_rowcount=True),
    "postgresql": postgresql.insert(leases).on_conflict_do_nothing().execution_options(preserve_rowcount=True),
}
_RELEASE = delete(leases).where(leases.c.name == bindparam("of_name"), leases.c.holder == bindparam("me"))


class LeaseRepository:
    """The repository of leases within one unit of work: `uow.leases`. `me` is a holder's unique name."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def hold(self, name: str, me: str, now: float, ttl: float) -> bool:
        """Take or renew a lease for `ttl` seconds from `now`; False if another holder has it."""
        renewed = self._connection.execute(_RENEW, {"of_name": name, "me": me, "now": now, "then": now + ttl})
        if renewed.rowcount == 1:
            return True
        taken = self._connection.execute(
            _TAKE[self._connection.dialect.name], {"name": name, "holder": me, "until": now + ttl}
        )
        return taken.rowcount == 1

    def release(self, name: str, me: str) -> None:
        """Delete a lease if `me` holds it."""
        self._connection.execute(_RELEASE, {"of_name": name, "me": me})
