"""The root secret, from which the service derives its own keys; the same in every web process.

It is the setting TOKEN_SECRET. Without it, the first process that needs a secret makes one and stores it in the database.
Not in Redis, which keeps nothing on disk: each restart would end all tokens and forget all attempts. A writer of the
database can make a session pass anyway; but a backup of the database then holds the secret, so set TOKEN_SECRET if backups
lie elsewhere.
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

#: Name of the root secret in the database's table of secrets.
NAME = "root"


class RootSecret:
    """The root secret of one process; reads the database once, when the first key is needed."""

    def __init__(self, engine: Callable[[], Engine], given: SecretStr | None) -> None:
        self._engine = engine
        self._value = None if given is None else given.get_secret_value().encode()

    def key(self, purpose: str) -> bytes:
        """The key for one purpose, 32 bytes, independent of those for others. Raises SQLAlchemyError if none can be read."""
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
            kept = uow.secrets.get(NAME)  # another process's secret, if that one was faster
            uow.commit()
        assert kept is not None
        return kept
