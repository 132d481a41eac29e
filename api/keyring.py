"""The keys that this process knows: all of them, read anew every few seconds.

There are few keys and many frames, so a frame asks the database for nothing: a key that is made, or revoked, counts within
FRESH seconds in every process.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from sqlalchemy import Engine

from shared import api_keys
from shared.api_keys import Key
from shared.db import UnitOfWork

#: Seconds for which what was read counts: within so long a revoked key is refused.
FRESH = 5.0


@dataclass(frozen=True, slots=True)
class _Read:
    """All keys as they were at a moment of the monotonic clock."""

    by_id: dict[str, Key]
    at: float


class KeyRing:
    """The keys of one app in one process. Threads may share it, and it may be carried over a fork."""

    def __init__(self, engine: Callable[[], Engine]) -> None:
        """engine: asked for when it is needed, not before."""
        self._engine = engine
        self._reading = Lock()
        self._read: _Read | None = None

    def find(self, given: str) -> Key | None:
        """The key, where what was given is one and it has not been revoked. Raises as the database does."""
        key_id = api_keys.id_of(given)
        key = self._keys().get(key_id) if key_id is not None else None
        return key if key is not None and key.opens(given) else None

    def holds(self, key_id: str) -> bool:
        """Whether there is a key with this id, and it has not been revoked."""
        key = self._keys().get(key_id)
        return key is not None and key.revoked_at is None

    def empty(self) -> bool:
        """Whether no key was ever made."""
        return not self._keys()

    def _keys(self) -> dict[str, Key]:
        read = self._read
        age = None if read is None else time.monotonic() - read.at
        if read is not None and age is not None:
            if age < FRESH:
                return read.by_id
            # One thread reads; the others go on with what is there, unless it is older than it may be.
            if age < 2 * FRESH:
                if not self._reading.acquire(blocking=False):
                    return read.by_id
                try:
                    return self._load()
                finally:
                    self._reading.release()
        return self._load()

    def _load(self) -> dict[str, Key]:
        at = time.monotonic()  # before it is read: what is revoked meanwhile was not seen
        with UnitOfWork(self._engine(), read_only=True) as uow:
            self._read = _Read({key.id: key for key in uow.keys.all()}, at)
        return self._read.by_id
