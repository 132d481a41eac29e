"""The keys that verdicts are signed with, in and out of their rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select

from shared.db.tables import signing_keys


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A pair of keys."""

    #: The thumbprint of the public one (RFC 7638).
    kid: str
    #: A JWK.
    public: dict[str, Any]
    #: The private one, sealed: see `api.signing`.
    sealed: bytes
    created_at: float
    #: From when it signs, until the next one does.
    signs_from: float


class SigningKeyRepository:
    """The keys within one unit of work: `uow.signing_keys`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> list[SigningKey]:
        """All keys there have been, in the order of their signing."""
        rows = self._connection.execute(
            select(signing_keys).order_by(signing_keys.c.signs_from, signing_keys.c.created_at, signing_keys.c.kid)
        )
        return [SigningKey(**row) for row in rows.mappings()]

    def add(self, key: SigningKey) -> None:
        """Keep a new key."""
        self._connection.execute(
            insert(signing_keys), {column.name: getattr(key, column.name) for column in signing_keys.c}
        )
