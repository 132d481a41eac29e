"""The unit of work: changes that are made together or not at all."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine

from shared.db.attempts import AttemptRepository
from shared.db.ended import Ending, OnEnd
from shared.db.engine import SQLITE_BEGIN
from shared.db.keys import KeyRepository
from shared.db.leases import LeaseRepository
from shared.db.outbox import OutboxRepository
from shared.db.secrets import SecretRepository
from shared.db.sessions import SessionRepository
from shared.db.signing_keys import SigningKeyRepository
from shared.db.trail import Trail
from shared.db.webhooks import WebhookRepository
from shared.telemetry.metrics.sessions import count


class UnitOfWork:
    """One transaction, to be used as a context manager. It is rolled back unless `commit` is called.

    A writing unit takes SQLite's one write lock at its beginning, so that what it reads cannot be outdated when it writes;
    in PostgreSQL it locks the sessions that it changes. A read-only unit takes no lock, sees one moment in all of its reads,
    and cannot commit.

    on_end: the clean-up after sessions that the unit ends or deletes (`shared.handoff.clean_up`), called after the commit,
    with the connection back in its pool. Without it such a unit raises RuntimeError, so that no clean-up can be forgotten.
    """

    def __init__(self, engine: Engine, *, read_only: bool = False, on_end: OnEnd | None = None) -> None:
        self._engine = engine
        self._read_only = read_only
        self._on_end = on_end
        #: Sessions that the commit has ended or deleted.
        self._ended: list[Ending] = []
        self._connection: Connection | None = None
        self._sessions: SessionRepository | None = None

    @property
    def sessions(self) -> SessionRepository:
        """Sessions. As all repositories of a unit, to be used only between `with` and `commit`; else RuntimeError."""
        if self._sessions is None:
            raise RuntimeError("The unit of work is not open: use it in a with block, and not after its commit")
        return self._sessions

    @property
    def keys(self) -> KeyRepository:
        """API keys."""
        return KeyRepository(self._open)

    @property
    def secrets(self) -> SecretRepository:
        """Secrets that the service generates for itself."""
        return SecretRepository(self._open)

    @property
    def outbox(self) -> OutboxRepository:
        """Events that wait to be published."""
        return OutboxRepository(self._open)

    @property
    def leases(self) -> LeaseRepository:
        """Leases: which process alone may do something."""
        return LeaseRepository(self._open)

    @property
    def webhooks(self) -> WebhookRepository:
        """Webhooks and their deliveries."""
        return WebhookRepository(self._open)

    @property
    def signing_keys(self) -> SigningKeyRepository:
        """Keys that sign verdicts."""
        return SigningKeyRepository(self._open)

    @property
    def trail(self) -> Trail:
        """The audit trail and the tombstones of deleted sessions."""
        return Trail(self._open)

    @property
    def attempts(self) -> AttemptRepository:
        """Failed attempts of subjects."""
        return AttemptRepository(self._open)

    @property
    def _open(self) -> Connection:
        if self._connection is None or self._sessions is None:
            raise RuntimeError("The unit of work is not open: use it in a with block, and not after its commit")
        return self._connection

    def commit(self) -> None:
        """Commit all changes and end the unit; possible once."""
        if self._connection is None or self._sessions is None:
            raise RuntimeError("The unit of work is not open: it can be committed once, inside its with block")
        if self._read_only:
            raise RuntimeError("A read-only unit of work has nothing to commit")
        repository, self._sessions = self._sessions, None
        self._connection.commit()
        self._ended = repository.ended
        count(repository.recorded)

    def __enter__(self) -> Self:
        if self._connection is not None:
            raise RuntimeError("The unit of work is open already")
        connection = self._engine.connect()
        try:
            _prepare(connection, read_only=self._read_only)
            connection.begin()
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        self._sessions = SessionRepository(connection, read_only=self._read_only, may_end=self._on_end is not None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        connection, self._connection, self._sessions = self._connection, None, None
        ended, self._ended = self._ended, []
        try:
            if connection is not None:
                connection.close()  # rolls back what was not committed
        finally:
            if ended and self._on_end is not None:
                self._on_end(ended)


def _prepare(connection: Connection, *, read_only: bool) -> None:
    """Set the kind of the transaction; this costs no round trip."""
    if connection.dialect.name == "sqlite":
        if not read_only:
            connection.execution_options(**{SQLITE_BEGIN: "IMMEDIATE"})
    elif read_only:
        # A session and its challenges are read by two statements, which otherwise would see two moments.
        connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
