"""Rows of API keys."""

from __future__ import annotations

from dataclasses import asdict, fields

from sqlalchemy import Connection, bindparam, insert, or_, select, update

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
        rows = self._connection.execute(_ALL).mappings()
        names = [field.name for field in fields(Key)]
        return [Key(**{name: row[name] for name in names} | {"role": Role(row["role"])}) for row in rows]

    def add(self, key: Key) -> None:
        """Insert a new API key."""
        self._connection.execute(_ADD, asdict(key) | {"role": key.role.value})

    def rotate(self, key: Key) -> None:
        """Store a key's new secret, its former one and its expiry."""
        names = ("digest", "former_digest", "former_until", "expires_at")
        values = {name: getattr(key, name) for name in names}
        self._connection.execute(update(api_keys).where(api_keys.c.id == key.id).values(**values))

    def used(self, key_id: str, at: float) -> None:
        """Note that an API key was used at `at`, unless a later use is noted."""
        earlier = or_(api_keys.c.last_used_at.is_(None), api_keys.c.last_used_at < at)
        self._connection.execute(update(api_keys).where(api_keys.c.id == key_id, earlier).values(last_used_at=at))

    def revoke(self, key_id: str, at: float) -> bool:
        """Revoke an API key; False if there is none with this id, or it was revoked before."""
        return self._connection.execute(_REVOKE, {"key_id": key_id, "at": at}).rowcount == 1
