"""Secrets that the service has made for itself, where its settings gave it none."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from shared.db.tables import secrets

_GET = select(secrets.c.value).where(secrets.c.name == bindparam("of_name"))
_ADD = {
    "sqlite": sqlite.insert(secrets).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(secrets).on_conflict_do_nothing(),
}


class SecretRepository:
    """The secrets within one unit of work: `uow.secrets`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, name: str) -> bytes | None:
        """The secret of that name."""
        value: bytes | None = self._connection.scalar(_GET, {"of_name": name})
        return value

    def add(self, name: str, value: bytes, at: float) -> None:
        """Keep a secret, unless there is one of that name."""
        statement = _ADD[self._connection.dialect.name]
        self._connection.execute(statement, {"name": name, "value": value, "created_at": at})
