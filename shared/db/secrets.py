"""Rows of secrets that the service generates where its settings give none."""

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
    """The repository of secrets within one unit of work: `uow.secrets`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, name: str) -> bytes | None:
        """The secret with this name; None if there is none."""
        value: bytes | None = self._connection.scalar(_GET, {"of_name": name})
        return value

    def add(self, name: str, value: bytes, at: float) -> None:
        """Insert a secret created at `at`, unless there is one with this name."""
        statement = _ADD[self._connection.dialect.name]
        self._connection.execute(statement, {"name": name, "value": value, "created_at": at})
