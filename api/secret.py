"""The one secret from which this service's own keys are derived, the same in every web process.

It is the setting TOKEN_SECRET, else one that the first process to need it makes and keeps in the database. Not in Redis:
that one keeps nothing on disk, and with each restart all tokens would die and all attempts be forgotten. Whoever can write
to the database can make a session pass anyway; a backup of it, though, then holds the secret too, so set TOKEN_SECRET
where backups lie elsewhere.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable

from pydantic import SecretStr
from sqlalchemy import Engine

from shared.db import UnitOfWork

#: What it is called among the secrets that the database keeps.
NAME = "root"


class RootSecret:
    """Gives keys for purposes. Reads the database once a process, and only when it must."""

    def __init__(self, engine: Callable[[], Engine], given: SecretStr | None) -> None:
        self._engine = engine
        self._value = None if given is None else given.get_secret_value().encode()

    def key(self, purpose: str) -> bytes:
        """32 bytes for one purpose; those for one tell nothing of those for another. Raises as the database does."""
        if self._value is None:
            self._value = self._kept()
        return hmac.digest(self._value, purpose.encode(), hashlib.sha256)

    def _kept(self) -> bytes:
        with UnitOfWork(self._engine(), read_only=True) as uow:
            kept = uow.secrets.get(NAME)
        if kept is not None:
            return kept
        with UnitOfWork(self._engine()) as uow:
            uow.secrets.add(NAME, secrets.token_bytes(32), time.time())
            kept = uow.secrets.get(NAME)  # another process's, if that one was first
            uow.commit()
        assert kept is not None
        return kept
