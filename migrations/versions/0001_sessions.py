"""Create the tables sessions, challenges, frames and outbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("mirrored", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
        sa.Column("started_at", sa.Double),
        sa.Column("ended_at", sa.Double),
        sa.Column("due", sa.Double),
        sa.Column("forget_from", sa.Double),
        sa.Column("is_live", sa.Boolean),
        sa.Column("reason", sa.String(64)),
        sa.Column("preset", sa.String(16), nullable=False),
        sa.Column("findings", _JSON, server_default=sa.text("'[]'"), nullable=False),
        sa.Column("identity", _JSON),
        sa.Column("options", _JSON, server_default=sa.text("'{}'"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
    )
    _partial_index("ix_sessions_due", "sessions", "due", "due IS NOT NULL")
    _partial_index("ix_sessions_forget_from", "sessions", "forget_from", "forget_from IS NOT NULL")
    _partial_index("ix_sessions_ended_at", "sessions", "ended_at", "ended_at IS NOT NULL")

    op.create_table(
        "challenges",
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("position", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("type", sa.String(32), nullable=False),
        sa.Column("timeout_seconds", sa.Double, nullable=False),
        sa.Column("started_at", sa.Double),
        sa.Column("passed_at", sa.Double),
        sa.Column("confidence", sa.Double),
        sa.PrimaryKeyConstraint("session_id", "position", name="pk_challenges"),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name="fk_challenges_session_id_sessions", ondelete="CASCADE"
        ),
    )

    op.create_table(
        "frames",
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("frame_id", sa.String(36), nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("observation", sa.LargeBinary, nullable=False),
        sa.Column("result", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("session_id", "frame_id", name="pk_frames"),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name="fk_frames_session_id_sessions", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_frames_session_id_at", "frames", ["session_id", "at"])

    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("event_id", sa.String(36), nullable=False),
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("data", _JSON, nullable=False),
        sa.Column("published_at", sa.Double),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("event_id", name="uq_outbox_event_id"),
        sqlite_autoincrement=True,
    )
    _partial_index("ix_outbox_unpublished", "outbox", "id", "published_at IS NULL")
    _partial_index("ix_outbox_published_at", "outbox", "published_at", "published_at IS NOT NULL")


def downgrade() -> None:
    for table in ("outbox", "frames", "challenges", "sessions"):
        op.drop_table(table)


def _partial_index(name: str, table: str, column: str, condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, [column], sqlite_where=where, postgresql_where=where)
