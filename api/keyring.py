"""The API keys as one process knows them: all of them, read again every few seconds.

There are few keys and many frames, so a frame needs no look into the database. A new or revoked key takes effect in every
process within FRESH seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from shared import api_keys
from shared.api_keys import Key
from shared.db import UnitOfWork

#: Seconds until the keys are read again: a revoked key is refused after this time at the latest.
FRESH = 5.0
#: Seconds between two notes of one key's use: a write with every frame would cost more than the key's check.
SPARSELY = 600.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Read:
    """All keys, and the monotonic time at which they were read."""

    by_id: dict[str, Key]
    at: float


class KeyRing:
    """The keys of one app in one process; safe for threads, and across a fork."""

    def __init__(self, engine: Callable[[], Engine]) -> None:
        """Create a key ring that reads nothing yet; `engine` is called when it is needed."""
        self._engine = engine
        self._reading = Lock()
        self._read: _Read | None = None
        self._was_closed: Callable[[], bool] = lambda: False
        self._on_keys: Callable[[], None] = lambda: None
        #: The latest use of each key that this process has noted, in seconds since the epoch.
        self._noted: dict[str, float] = {}

    def watch(self, was_closed: Callable[[], bool], on_keys: Callable[[], None]) -> None:
        """Ask `was_closed` before the service counts as open, and call `on_keys` when keys are read.

        See `api.open_mode`.
        """
        self._was_closed, self._on_keys = was_closed, on_keys

    def find(self, given: str, at: float) -> Key | None:
        """The key for a secret given at `at`; None if it is unknown, revoked or expired.

        The use is noted. Raises SQLAlchemyError if keys cannot be read.
        """
        key_id = api_keys.id_of(given)
        key = self._keys().get(key_id) if key_id is not None else None
        if key is None or not key.opens(given, at):
            return None
        self._note(key, at)
        return key

    def holds(self, key_id: str, at: float) -> bool:
        """Whether there is a key with this id that is neither revoked nor expired at `at`."""
        key = self._keys().get(key_id)
        return key is not None and key.valid(at)

    def open(self) -> bool:
        """Whether no key was ever made, as far as the database and `watch` tell."""
        return not self._keys() and not self._was_closed()

    def _note(self, key: Key, at: float) -> None:
        """Write the use of a key into its row, once in SPARSELY seconds; a database that cannot take it refuses nobody."""
        noted = max(key.last_used_at or 0.0, self._noted.get(key.id, 0.0))
        if at - noted < SPARSELY:
            return
        self._noted[key.id] = at  # first, so that other threads do not write too
        try:
            with UnitOfWork(self._engine()) as uow:
                uow.keys.used(key.id, at)
                uow.commit()
        except SQLAlchemyError as error:
            log.warning("keys.use_not_noted", key_id=key.id, error=type(error).__name__)

    def _keys(self) -> dict[str, Key]:
        read = self._read
        age = None if read is None else time.monotonic() - read.at
        if read is not None and age is not None:
            if age < FRESH:
                return read.by_id
            # One thread reads; the others use the keys at hand, unless these are too old.
            if age < 2 * FRESH:
                if not self._reading.acquire(blocking=False):
                    return read.by_id
                try:
                    return self._load()
                finally:
                    self._reading.release()
        return self._load()

    def _load(self) -> dict[str, Key]:
        at = time.monotonic()  # before reading: a revocation meanwhile may have been missed
        with UnitOfWork(self._engine(), read_only=True) as uow:
            self._read = read = _Read({key.id: key for key in uow.keys.all()}, at)
        if read.by_id:
            self._on_keys()
        return read.by_id
