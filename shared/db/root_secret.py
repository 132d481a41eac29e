"""The root secret, from which the service derives its own keys; the same in every process that signs or unseals.

It is the setting TOKEN_SECRET. Without it, the first process that needs a secret makes one and stores it in the database.
Not in Redis, which keeps nothing on disk: each restart would end all tokens and forget all attempts. A writer of the
database can make a session pass anyway; but a backup of the database then holds the secret, so set TOKEN_SECRET if backups
lie elsewhere.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Callable
from contextlib import suppress

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr
from sqlalchemy import Engine

from shared.db.trail import Action, Entry
from shared.db.unit_of_work import UnitOfWork

#: Name of the root secret in the database's table of secrets.
NAME = "root"

#: What an earlier version took for a part of TOKEN_SECRET where a file or a platform had left it around it.
_AROUND = (b"%s\n", b"%s\r\n", b"%s ", b'"%s"', b"'%s'", b'"%s"\n', b"'%s'\n")

_NONCE = 12


class RootSecret:
    """The root secret of one process; reads the database once, when the first key is needed."""

    def __init__(self, engine: Callable[[], Engine], given: SecretStr | None) -> None:
        self._engine = engine
        self._value = None if given is None else given.get_secret_value().encode()
        self._former = [] if self._value is None else [around % self._value for around in _AROUND]

    def key(self, purpose: str) -> bytes:
        """The key for one purpose, 32 bytes, independent of those for others. Raises SQLAlchemyError if none can be read."""
        if self._value is None:
            self._value = self._kept()
        return _derived(self._value, purpose)

    def seal(self, purpose: str, clear: bytes, owner: str) -> bytes:
        """Encrypt `clear` by AES-256-GCM for the row with the id `owner`; 28 bytes longer than `clear`."""
        nonce = os.urandom(_NONCE)
        return nonce + AESGCM(self.key(purpose)).encrypt(nonce, clear, owner.encode())

    def unseal(self, purpose: str, sealed: bytes, owner: str) -> bytes | None:
        """Decrypt what `seal` has made; None if that was done with another root secret, or for another row."""
        for key in (self.key(purpose), *(_derived(secret, purpose) for secret in self._former)):
            with suppress(InvalidTag):
                return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], owner.encode())
        return None

    def kept(self) -> bool:
        """Whether the database holds a root secret."""
        with UnitOfWork(self._engine(), read_only=True) as uow:
            return uow.secrets.get(NAME) is not None

    def _kept(self) -> bytes:
        with UnitOfWork(self._engine(), read_only=True) as uow:
            kept = uow.secrets.get(NAME)
        if kept is not None:
            return kept
        made, at = secrets.token_bytes(32), time.time()
        with UnitOfWork(self._engine()) as uow:
            uow.secrets.add(NAME, made, at)
            kept = uow.secrets.get(NAME)  # another process's secret, if that one was faster
            if kept == made:
                uow.trail.add(Entry(at, Action.SECRET_CREATED, "", "service", None, "unknown", "", target=NAME))
            uow.commit()
        assert kept is not None
        return kept


def _derived(secret: bytes, purpose: str) -> bytes:
    return hmac.digest(secret, purpose.encode(), hashlib.sha256)
