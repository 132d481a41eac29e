"""Create the append-only audit trail, tombstones and failed attempts, and add the hashed subject of a session."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

#: Triggers that refuse to change a row of the trail; rows may still be deleted, which the clock does by age.
_REFUSE_CHANGES = {
    "sqlite": """
        CREATE TRIGGER audit_is_append_only BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END
    """,
    "postgresql": """
        CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$;
        CREATE TRIGGER audit_is_append_only BEFORE UPDATE ON audit
        FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change()
    """,
}


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", _COUNTER, autoincrement=True, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("who", sa.String(16), nullable=False),
        sa.Column("key_id", sa.String(12)),
        sa.Column("network", sa.String(64), nullable=False),
        sa.Column("request_id", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_index("ix_audit_session_id", "audit", ["session_id"])
    op.execute(_REFUSE_CHANGES[op.get_bind().dialect.name])
    op.create_table(
        "tombstones",
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("ended_at", sa.Double),
        sa.Column("deleted_at", sa.Double, nullable=False),
        sa.Column("deleted_by", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("session_id", name="pk_tombstones"),
    )
    op.create_index("ix_tombstones_deleted_at", "tombstones", ["deleted_at"])
    op.create_index("ix_outbox_session_id", "outbox", ["session_id"])
    op.create_table(
        "attempts",
        sa.Column("id", _COUNTER, autoincrement=True, nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_attempts_subject_at", "attempts", ["subject", "at"])
    op.create_index("ix_attempts_at", "attempts", ["at"])
    op.add_column("sessions", sa.Column("subject", sa.String(64)))
    open_ones = sa.text("subject IS NOT NULL AND ended_at IS NULL")
    op.create_index(
        "ix_sessions_open_subject", "sessions", ["subject"], sqlite_where=open_ones, postgresql_where=open_ones
    )


def downgrade() -> None:
    op.drop_index("ix_sessions_open_subject", "sessions")
    with op.batch_alter_table("sessions") as sessions:
        sessions.drop_column("subject")
    op.drop_index("ix_outbox_session_id", "outbox")
    for table in ("attempts", "tombstones", "audit"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_refuse_change()")
