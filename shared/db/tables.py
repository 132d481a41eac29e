"""The tables. Times are seconds since the epoch; ids are UUIDs as text, which SQLite and PostgreSQL read alike.

No picture and no face descriptor is ever stored: `frames` holds the measures of a frame and the answer to it, and only
until shortly after the session's end.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

#: Names of constraints are given, not left to the database, so that later migrations can name what they change.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: Without a value it is NULL, not JSON's null.
_Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
#: SQLite counts rows by itself only in a column whose type is INTEGER to the letter.
_Counter = BigInteger().with_variant(Integer(), "sqlite")


def _partial(name: str, column: str, condition: str) -> Index:
    """An index of the few rows that a sweep looks for among the many it does not."""
    return Index(name, column, sqlite_where=text(condition), postgresql_where=text(condition))


sessions = Table(
    "sessions",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("mirrored", Boolean, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("started_at", Double),
    Column("ended_at", Double),
    #: When the clock has to end it; NULL once it has ended.
    Column("due", Double),
    #: From when its frames' measures may be forgotten: its end. NULL while it lives, and again once they are gone.
    Column("forget_from", Double),
    Column("is_live", Boolean),
    Column("reason", String(64)),
    #: How likely it is that it was a living person's: NULL until it is complete.
    Column("score", Double),
    #: By which limits its evidence is weighed.
    Column("preset", String(16), nullable=False),
    #: What the judges of the evidence found: see `shared.db.codec`.
    Column("findings", _Json, nullable=False, server_default=text("'[]'")),
    #: The gesture that has been met and whose pass waits, likewise, with what the judges found: NULL where none does.
    Column("held", _Json),
    #: Whether it is one person all the way, likewise: distances between faces, no descriptor. NULL where nobody asks.
    Column("identity", _Json),
    #: What a session was asked for beyond the columns above, and later, additive options: likewise.
    Column("options", _Json, nullable=False, server_default=text("'{}'")),
    #: Id of the API key that it was created with; NULL where none was asked for. No foreign key: it says who, for good.
    Column("owner", String(12)),
    #: Who is being tried: a keyed hash of the name that its creator gave; NULL where none was given.
    Column("subject", String(64)),
    _partial("ix_sessions_due", "due", "due IS NOT NULL"),
    _partial("ix_sessions_forget_from", "forget_from", "forget_from IS NOT NULL"),
    _partial("ix_sessions_ended_at", "ended_at", "ended_at IS NOT NULL"),
    _partial("ix_sessions_open_subject", "subject", "subject IS NOT NULL AND ended_at IS NULL"),
)

challenges = Table(
    "challenges",
    metadata,
    Column("session_id", ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    #: 0 for the first.
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("type", String(32), nullable=False),
    Column("timeout_seconds", Double, nullable=False),
    Column("started_at", Double),
    Column("passed_at", Double),
    Column("confidence", Double),
)

frames = Table(
    "frames",
    metadata,
    #: The key is what makes a frame count once, however often the queue delivers it.
    Column("session_id", ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("frame_id", String(36), primary_key=True),
    #: Its arrival at the API.
    Column("at", Double, nullable=False),
    #: See `shared.db.codec`.
    Column("observation", LargeBinary, nullable=False),
    Column("result", LargeBinary, nullable=False),
    Index("ix_frames_session_id_at", "session_id", "at"),
)

outbox = Table(
    "outbox",
    metadata,
    #: Grows in the order of writing; within one session that is the order of happening, since its row is locked.
    Column("id", _Counter, primary_key=True, autoincrement=True),
    #: By which a subscriber knows an event that it was sent twice.
    Column("event_id", String(36), nullable=False, unique=True),
    #: No foreign key: that a session was cancelled is told after its row is gone.
    Column("session_id", String(36), nullable=False),
    Column("type", String(64), nullable=False),
    Column("at", Double, nullable=False),
    Column("data", _Json, nullable=False),
    Column("published_at", Double),
    _partial("ix_outbox_unpublished", "id", "published_at IS NULL"),
    _partial("ix_outbox_published_at", "published_at", "published_at IS NOT NULL"),
    Index("ix_outbox_session_id", "session_id"),
    sqlite_autoincrement=True,
)

api_keys = Table(
    "api_keys",
    metadata,
    #: Part of the key itself, and no secret.
    Column("id", String(12), primary_key=True),
    Column("name", String(100), nullable=False),
    #: See `shared.api_keys.Role`.
    Column("role", String(16), nullable=False),
    #: SHA-256 of the key, in hexadecimal; the key is nowhere.
    Column("digest", String(64), nullable=False),
    Column("created_at", Double, nullable=False),
    #: Rows stay: a service that has ever had a key is not open again when its last one is revoked.
    Column("revoked_at", Double),
)

secrets = Table(
    "secrets",
    metadata,
    #: What it is for: see `api.secret`.
    Column("name", String(32), primary_key=True),
    Column("value", LargeBinary, nullable=False),
    Column("created_at", Double, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    #: What only one process at a time is to do.
    Column("name", String(32), primary_key=True),
    Column("holder", String(32), nullable=False),
    #: By the service's time; after it anyone may take the lease.
    Column("until", Double, nullable=False),
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("url", String(2000), nullable=False),
    #: Types of events; an empty list: all.
    Column("types", _Json, nullable=False),
    #: As it is, and not hashed like a key: every delivery is signed with it.
    Column("secret", String(100), nullable=False),
    Column("created_at", Double, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("disabled_reason", String(32)),
    Column("failing_since", Double),
    #: The secret before, with which deliveries are signed as well until `former_until`.
    Column("former_secret", String(100)),
    Column("former_until", Double),
)

deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("webhook_id", ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
    Column("event_id", String(36), nullable=False),
    Column("event", _Json, nullable=False),
    #: See `shared.webhooks.Status`.
    Column("status", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", Double, nullable=False),
    #: When it is to be attempted next; NULL once nothing is to be done.
    Column("next_at", Double),
    Column("last_at", Double),
    Column("last_status", Integer),
    Column("last_error", String(200)),
    Index("ix_webhook_deliveries_created_at", "created_at"),
    _partial("ix_webhook_deliveries_next_at", "next_at", "next_at IS NOT NULL"),
    # An event is brought to an endpoint once, however often the broker delivers it.
    UniqueConstraint("webhook_id", "event_id"),
)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("kid", String(43), primary_key=True),
    Column("public", _Json, nullable=False),
    #: The private key, encrypted: see `api.signing`.
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("signs_from", Double, nullable=False),
)

#: Who did what to a session: see `shared.db.trail`. A trigger refuses to change a row (migration 0007).
audit = Table(
    "audit",
    metadata,
    Column("id", _Counter, primary_key=True, autoincrement=True),
    Column("at", Double, nullable=False),
    Column("action", String(32), nullable=False),
    #: No foreign key: it outlives the session.
    Column("session_id", String(36), nullable=False),
    Column("who", String(16), nullable=False),
    Column("key_id", String(12)),
    Column("network", String(64), nullable=False),
    Column("request_id", String(128), nullable=False),
    Index("ix_audit_at", "at"),
    Index("ix_audit_session_id", "session_id"),
    sqlite_autoincrement=True,
)

#: What is left of a session that was deleted.
tombstones = Table(
    "tombstones",
    metadata,
    Column("session_id", String(36), primary_key=True),
    Column("created_at", Double, nullable=False),
    Column("ended_at", Double),
    Column("deleted_at", Double, nullable=False),
    Column("deleted_by", String(16), nullable=False),
    Index("ix_tombstones_deleted_at", "deleted_at"),
)

#: Sessions that found no live person, by the hash of who was tried and by nothing else.
attempts = Table(
    "attempts",
    metadata,
    Column("id", _Counter, primary_key=True, autoincrement=True),
    Column("subject", String(64), nullable=False),
    Column("at", Double, nullable=False),
    Index("ix_attempts_subject_at", "subject", "at"),
    Index("ix_attempts_at", "at"),
    sqlite_autoincrement=True,
)
