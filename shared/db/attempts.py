"""Rows of failed attempts: the time of a session that found no live person, under the keyed hash of its subject.

Attempts outlive their sessions, so that deleting a failed session gives no attempt back.
"""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection, bindparam, delete, insert, select, text

from shared.db.tables import attempts, sessions

_ADD = insert(attempts).inline()
_SINCE = (
    select(attempts.c.at)
    .where(attempts.c.subject == bindparam("of_subject"), attempts.c.at > bindparam("since"))
    .order_by(attempts.c.at)
)
_OPEN = select(sessions.c.expires_at).where(
    sessions.c.subject == bindparam("of_subject"), sessions.c.subject.is_not(None), sessions.c.ended_at.is_(None)
)
_LOCK = text("SELECT pg_advisory_xact_lock(:number)")


class AttemptRepository:
    """The repository of failed attempts within one unit of work: `uow.attempts`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lock(self, subject: str) -> None:
        """Lock a subject's attempts until this unit ends: otherwise two creations at once would both take the last one."""
        if self._connection.dialect.name == "postgresql":  # SQLite has one writing unit at a time
            digest = hashlib.sha256(subject.encode()).digest()
            self._connection.execute(_LOCK, {"number": int.from_bytes(digest[:8], signed=True)})

    def failed(self, subject: str, since: float) -> list[float]:
        """The times after `since` at which attempts of a subject failed, oldest first."""
        return list(self._connection.scalars(_SINCE, {"of_subject": subject, "since": since}))

    def open(self, subject: str) -> list[float]:
        """The times at which a subject's open sessions will expire."""
        return list(self._connection.scalars(_OPEN, {"of_subject": subject}))

    def add(self, subject: str, at: float) -> None:
        """Record a failed attempt of a subject."""
        self._connection.execute(_ADD, {"subject": subject, "at": at})

    def purge(self, before: float, *, limit: int) -> int:
        """Delete up to `limit` attempts older than `before`; return how many were deleted."""
        old = select(attempts.c.id).where(attempts.c.at < before).order_by(attempts.c.at).limit(limit)
        return self._connection.execute(delete(attempts).where(attempts.c.id.in_(old))).rowcount
