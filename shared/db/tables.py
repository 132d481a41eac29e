"""The tables. Times are seconds since the epoch; ids are UUIDs as text, which SQLite and PostgreSQL treat alike.

No picture and no face descriptor is stored: `frames` holds measures of frames and the answers, until shortly after the
session's end.
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

#: Constraints are named here, not by the database, so that migrations can refer to them.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: JSON in which None is stored as NULL, not as JSON's null.
_Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
#: SQLite numbers rows by itself only in a column whose type is exactly INTEGER.
_Counter = BigInteger().with_variant(Integer(), "sqlite")


def _partial(name: str, column: str, condition: str) -> Index:
    """An index of the few rows that match a condition, for queries that look for these alone."""
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
    #: When the clock has to end the session; NULL once it has ended.
    Column("due", Double),
    #: The session's end, from which its frames may be deleted; NULL while it lives, and again once they are deleted.
    Column("forget_from", Double),
    Column("is_live", Boolean),
    Column("reason", String(64)),
    #: Likelihood that the session was a living person's, 0 to 1; NULL until it is complete.
    Column("score", Double),
    #: The preset by which the evidence is weighed.
    Column("preset", String(16), nullable=False),
    #: Findings of the judges of the evidence, encoded as this and the next three columns by `shared.db.codec`.
    Column("findings", _Json, nullable=False, server_default=text("'[]'")),
    #: The gesture that has been met and whose pass waits, with its findings; NULL if there is none.
    Column("held", _Json),
    #: The identity check: distances between faces, no descriptors; NULL if the session compares no faces.
    Column("identity", _Json),
    #: Options of the session without a column of their own.
    Column("options", _Json, nullable=False, server_default=text("'{}'")),
    #: Opaque id of the API key that created the session; NULL if unauthenticated. No foreign key, so that it never changes.
    Column("owner", String(12)),
    #: Keyed hash of the name that the creator gave to the person; NULL if none was given.
    Column("subject", String(64)),
    #: What the creator asked for beyond the other columns: `shared.liveness.terms`; NULL in rows of an earlier version.
    Column("terms", _Json),
    #: Hash of the secret of the browser that the token belongs to: see `api.browsers`; NULL until one has used it.
    Column("browser", String(64)),
    _partial("ix_sessions_due", "due", "due IS NOT NULL"),
    _partial("ix_sessions_forget_from", "forget_from", "forget_from IS NOT NULL"),
    _partial("ix_sessions_ended_at", "ended_at", "ended_at IS NOT NULL"),
    _partial("ix_sessions_open_subject", "subject", "subject IS NOT NULL AND ended_at IS NULL"),
)

challenges = Table(
    "challenges",
    metadata,
    Column("session_id", ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    #: 0 for the first challenge.
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
    #: The primary key makes a frame count once, however often the queue delivers it.
    Column("session_id", ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("frame_id", String(36), primary_key=True),
    #: Arrival at the API.
    Column("at", Double, nullable=False),
    #: Encoded by `shared.db.codec`, as the result.
    Column("observation", LargeBinary, nullable=False),
    Column("result", LargeBinary, nullable=False),
    Index("ix_frames_session_id_at", "session_id", "at"),
)

outbox = Table(
    "outbox",
    metadata,
    #: Grows in the order of writing; within one session that is the order of the events, since its row is locked.
    Column("id", _Counter, primary_key=True, autoincrement=True),
    #: By this id a subscriber recognises an event that it receives twice.
    Column("event_id", String(36), nullable=False, unique=True),
    #: No foreign key: the event of a cancellation is published after the session's row is deleted.
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
    #: A part of the API key that is no secret.
    Column("id", String(12), primary_key=True),
    Column("name", String(100), nullable=False),
    #: See `shared.api_keys.Role`.
    Column("role", String(16), nullable=False),
    #: SHA-256 of the API key in hexadecimal; the key itself is not stored.
    Column("digest", String(64), nullable=False),
    Column("created_at", Double, nullable=False),
    #: Revoked keys keep their rows: a service that ever had a key stays closed when its last key is revoked.
    Column("revoked_at", Double),
    #: When the API key ceases to be valid; NULL: never.
    Column("expires_at", Double),
    #: A time of use, at most `api.keyring.SPARSELY` seconds before the latest one; NULL: never used since this was recorded.
    Column("last_used_at", Double),
    #: The digest before the latest rotation, which is valid until `former_until`.
    Column("former_digest", String(64)),
    Column("former_until", Double),
    #: Bounds of what the key may ask for: see `shared.policy`; NULL: those of the settings alone.
    Column("policy", String(500)),
)

secrets = Table(
    "secrets",
    metadata,
    #: The purpose of the secret: see `shared.db.root_secret`.
    Column("name", String(32), primary_key=True),
    Column("value", LargeBinary, nullable=False),
    Column("created_at", Double, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    #: The work that one process at a time does.
    Column("name", String(32), primary_key=True),
    Column("holder", String(32), nullable=False),
    #: End of the lease by the service's time, after which any process may take it.
    Column("until", Double, nullable=False),
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("url", String(2000), nullable=False),
    #: Types of events to deliver; an empty list means all.
    Column("types", _Json, nullable=False),
    #: Not hashed, unlike an API key, because every delivery is signed with it, but sealed: see `shared.db.webhook_secrets`.
    Column("secret", String(100), nullable=False),
    Column("created_at", Double, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("disabled_reason", String(32)),
    Column("failing_since", Double),
    #: The previous secret, with which deliveries are signed as well until `former_until`.
    Column("former_secret", String(100)),
    Column("former_until", Double),
    #: When the circuit lets the next call through; NULL while the circuit is closed.
    Column("paused_until", Double),
    #: Failed attempts since the latest success.
    Column("failures", Integer, nullable=False, server_default=text("0")),
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
    #: When the delivery is attempted next; NULL once it is finished.
    Column("next_at", Double),
    Column("last_at", Double),
    Column("last_status", Integer),
    Column("last_error", String(200)),
    #: Until when the delivery counts as in flight; NULL once its attempt has a result.
    Column("claimed_until", Double),
    Index("ix_webhook_deliveries_created_at", "created_at"),
    _partial("ix_webhook_deliveries_claimed_until", "claimed_until", "claimed_until IS NOT NULL"),
    _partial("ix_webhook_deliveries_next_at", "next_at", "next_at IS NOT NULL"),
    # An event is delivered to a webhook once, however often the broker delivers it to us.
    UniqueConstraint("webhook_id", "event_id"),
)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("kid", String(43), primary_key=True),
    Column("public", _Json, nullable=False),
    #: The private key, encrypted: see `api.signing_keys`.
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("signs_from", Double, nullable=False),
    #: When the key pair was revoked: its verdicts are invalid, whenever they were signed.
    Column("revoked_at", Double),
)

#: The audit trail: see `shared.db.trail`. A trigger refuses to change a row (migration 0007).
audit = Table(
    "audit",
    metadata,
    Column("id", _Counter, primary_key=True, autoincrement=True),
    Column("at", Double, nullable=False),
    Column("action", String(32), nullable=False),
    #: No foreign key: an entry outlives its session. Empty for an act on no session.
    Column("session_id", String(36), nullable=False),
    Column("who", String(16), nullable=False),
    Column("key_id", String(12)),
    Column("network", String(64), nullable=False),
    Column("request_id", String(128), nullable=False),
    #: Id of what the act was on beside a session: an API key, a webhook, a verdict key; of a verdict its `jti`.
    Column("target", String(64)),
    Index("ix_audit_at", "at"),
    Index("ix_audit_session_id", "session_id"),
    sqlite_autoincrement=True,
)

#: One row for each deleted session.
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

#: Failed attempts: the end of a session that found no live person, under its subject's keyed hash and nothing else.
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
