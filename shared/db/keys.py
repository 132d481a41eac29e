"""Rows of API keys."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, insert, select, update

from shared.api_keys import Key, Role
from shared.db.tables import api_keys

_ALL = select(api_keys).order_by(api_keys.c.created_at, api_keys.c.id)
_ADD = insert(api_keys)
_REVOKE = (
    update(api_keys)
    .where(api_keys.c.id == bindparam("key_id"), api_keys.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("at"))
)


class KeyRepository:
    """The repository of API keys within one unit of work: `uow.keys`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> list[Key]:
        """Every API key that was ever made, revoked ones included, oldest first."""
        return [
            Key(row.id, row.name, Role(row.role), row.digest, row.created_at, row.revoked_at)
            for row in self._connection.execute(_ALL)
        ]

    def add(self, key: Key) -> None:
        """Insert a new API key."""
        self._connection.execute(
            _ADD,
            {
                "id": key.id,
                "name": key.name,
                "role": key.role.value,
                "digest": key.digest,
                "created_at": key.created_at,
                "revoked_at": key.revoked_at,
            },
        )

    def revoke(self, key_id: str, at: float) -> bool:
        """Revoke an API key; False if there is none with this id, or it was revoked before."""
        return self._connection.execute(_REVOKE, {"key_id": key_id, "at": at}).rowcount == 1
