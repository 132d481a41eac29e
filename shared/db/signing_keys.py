"""Rows of the keys that sign verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from shared.db.tables import signing_keys


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A pair of keys that signs verdicts."""

    #: The thumbprint of the public key (RFC 7638).
    kid: str
    #: The public key as a JWK.
    public: dict[str, Any]
    #: The private key, encrypted: see `api.signing_keys`.
    sealed: bytes
    created_at: float
    #: When the pair begins to sign, in seconds since the epoch; it signs until the next pair begins.
    signs_from: float
    #: When the pair was revoked, in seconds since the epoch; None if it was not.
    revoked_at: float | None = None


class SigningKeyRepository:
    """The repository of signing keys within one unit of work: `uow.signing_keys`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> list[SigningKey]:
        """All pairs that were ever made, in the order in which they sign."""
        rows = self._connection.execute(
            select(signing_keys).order_by(signing_keys.c.signs_from, signing_keys.c.created_at, signing_keys.c.kid)
        )
        return [SigningKey(**row) for row in rows.mappings()]

    def add(self, key: SigningKey) -> None:
        """Insert a new pair."""
        self._connection.execute(
            insert(signing_keys), {column.name: getattr(key, column.name) for column in signing_keys.c}
        )

    def revoke(self, kid: str, at: float) -> bool:
        """Revoke a pair; False if there is none with this id, or it was revoked before."""
        unrevoked = signing_keys.c.kid == kid, signing_keys.c.revoked_at.is_(None)
        return self._connection.execute(update(signing_keys).where(*unrevoked).values(revoked_at=at)).rowcount == 1
