"""How often somebody was tried and not found live: only that, under a keyed hash of the name that the caller gave them.

They outlive their sessions, so that deleting a failed one does not give another attempt.
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
    """The attempts within one unit of work: `uow.attempts`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lock(self, subject: str) -> None:
        """Let nobody else look at this subject's until this unit ends: two at once would both find room for one more."""
        if self._connection.dialect.name == "postgresql":  # SQLite has one writing unit at a time anyway
            digest = hashlib.sha256(subject.encode()).digest()
            self._connection.execute(_LOCK, {"number": int.from_bytes(digest[:8], signed=True)})

    def failed(self, subject: str, since: float) -> list[float]:
        """When this subject's attempts failed, after `since`, the oldest first."""
        return list(self._connection.scalars(_SINCE, {"of_subject": subject, "since": since}))

    def open(self, subject: str) -> list[float]:
        """When this subject's sessions that have not ended will expire."""
        return list(self._connection.scalars(_OPEN, {"of_subject": subject}))

    def add(self, subject: str, at: float) -> None:
        """One more has failed."""
        self._connection.execute(_ADD, {"subject": subject, "at": at})

    def purge(self, before: float, *, limit: int) -> int:
        """Delete up to `limit` that are older; how many it were."""
        old = select(attempts.c.id).where(attempts.c.at < before).order_by(attempts.c.at).limit(limit)
        return self._connection.execute(delete(attempts).where(attempts.c.id.in_(old))).rowcount
