"""Rows of the audit trail, which is append-only, and of the tombstones of deleted sessions.

Neither holds anything about a person: only ids, times, and who made a request.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select

from shared.db.tables import audit, outbox, tombstones

_ADD = insert(audit).inline()
_OF_SESSION = select(audit).where(audit.c.session_id == bindparam("session_id")).order_by(audit.c.id)
_BURY = insert(tombstones)
_GRAVE = select(tombstones).where(tombstones.c.session_id == bindparam("session_id"))

#: Seconds after a session's deletion within which its events are deleted once they have been published.
TELLING = 3600.0


class Action(StrEnum):
    """An act that the audit trail records: on a session, or on what the operator manages."""

    CREATED = "session.created"
    TOKEN_ISSUED = "token.issued"  # noqa: S105 - not a password
    EVIDENCE_READ = "evidence.read"
    VERDICT_SIGNED = "verdict.signed"
    PORTRAIT_FETCHED = "portrait.fetched"
    CANCELLED = "session.cancelled"
    VERDICT_READ = "verdict.read"
    KEY_CREATED = "key.created"
    KEY_ROTATED = "key.rotated"
    KEY_REVOKED = "key.revoked"
    SECRET_CREATED = "secret.created"  # noqa: S105 - not a password
    VERDICT_KEY_CREATED = "verdict_key.created"
    VERDICT_KEY_ROTATED = "verdict_key.rotated"
    VERDICT_KEY_REVOKED = "verdict_key.revoked"
    WEBHOOK_CREATED = "webhook.created"
    WEBHOOK_CHANGED = "webhook.changed"
    WEBHOOK_DELETED = "webhook.deleted"
    WEBHOOK_SECRET_ROTATED = "webhook.secret_rotated"  # noqa: S105 - not a password


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the audit trail: who did what to which session or other thing. `at`: seconds since the epoch."""

    at: float
    action: Action
    #: Empty for an act on no session.
    session_id: str
    #: server, client, session (by its token), anyone if the service asks for no key, operator (by a command) or service.
    who: str
    #: Id of the API key; None if the request was unauthenticated.
    key_id: str | None
    #: The coarse network of the client, as 192.0.2.0/24.
    network: str
    #: Id of the request; of a command its name and the account that ran it.
    request_id: str
    #: Id of an API key, a webhook, a verdict key or a verdict; None if the act was on a session alone.
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Tombstone:
    """The tombstone of a deleted session. Times in seconds since the epoch."""

    session_id: str
    created_at: float
    ended_at: float | None
    deleted_at: float
    #: The `key_id` of the deletion's `Entry`, or its `who` if there is none.
    deleted_by: str


class Trail:
    """The repository of audit trail and tombstones within one unit of work: `uow.trail`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, entry: Entry) -> None:
        """Write an entry for good: the database refuses to change a row of the trail."""
        self._connection.execute(_ADD, {**asdict(entry), "action": entry.action.value})

    def of(self, session_id: str) -> list[Entry]:
        """The entries about a session, in order."""
        rows = self._connection.execute(_OF_SESSION, {"session_id": session_id})
        return [_entry(row) for row in rows.mappings()]

    def of_no_session(self) -> list[Entry]:
        """The entries about API keys, webhooks, verdict keys and secrets, in order."""
        return [_entry(row) for row in self._connection.execute(_OF_SESSION, {"session_id": ""}).mappings()]

    def bury(self, tombstone: Tombstone) -> None:
        """Insert the tombstone of a session that this unit deletes."""
        self._connection.execute(_BURY, asdict(tombstone))

    def tombstone(self, session_id: str) -> Tombstone | None:
        """The tombstone of a session; None if it was not deleted, or too long ago."""
        row = self._connection.execute(_GRAVE, {"session_id": session_id}).one_or_none()
        return None if row is None else Tombstone(*row)

    def deleted(self, since: float) -> list[Tombstone]:
        """The tombstones of the sessions that were deleted after `since`."""
        rows = self._connection.execute(select(tombstones).where(tombstones.c.deleted_at > since))
        return [Tombstone(*row) for row in rows]

    def forget_told(self, now: float) -> None:
        """Delete the published events of sessions that were deleted in the TELLING seconds before `now`."""
        deleted = select(tombstones.c.session_id).where(tombstones.c.deleted_at > now - TELLING)
        published = delete(outbox).where(outbox.c.session_id.in_(deleted), outbox.c.published_at.is_not(None))
        self._connection.execute(published)

    def purge(self, *, entries_before: float, tombstones_before: float, limit: int) -> int:
        """Delete up to `limit` old entries and up to `limit` old tombstones; return the larger of the two numbers."""
        old_entries = select(audit.c.id).where(audit.c.at < entries_before).order_by(audit.c.at).limit(limit)
        old_graves = select(tombstones.c.session_id).where(tombstones.c.deleted_at < tombstones_before).limit(limit)
        entries = self._connection.execute(delete(audit).where(audit.c.id.in_(old_entries))).rowcount
        graves = self._connection.execute(delete(tombstones).where(tombstones.c.session_id.in_(old_graves))).rowcount
        return max(entries, graves)


def _entry(row: RowMapping) -> Entry:
    return Entry(**{name: value for name, value in row.items() if name != "id"} | {"action": Action(row["action"])})
