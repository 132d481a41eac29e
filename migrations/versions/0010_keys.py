"""Add expiry, rotation and last use of API keys, revocation of verdict keys, targets in the trail, pauses of webhooks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010_keys"
down_revision = "0009"
branch_labels = None
depends_on = None

_COLUMNS = (
    ("api_keys", "expires_at", sa.Double),
    ("api_keys", "last_used_at", sa.Double),
    ("api_keys", "former_digest", sa.String(64)),
    ("api_keys", "former_until", sa.Double),
    ("signing_keys", "revoked_at", sa.Double),
    ("audit", "target", sa.String(64)),
    ("webhooks", "paused_until", sa.Double),
    ("webhook_deliveries", "claimed_until", sa.Double),
)


def upgrade() -> None:
    for table, name, kind in _COLUMNS:
        op.add_column(table, sa.Column(name, kind))
    op.add_column("webhooks", sa.Column("failures", sa.Integer, nullable=False, server_default=sa.text("0")))
    claimed = sa.text("claimed_until IS NOT NULL")
    op.create_index(
        "ix_webhook_deliveries_claimed_until",
        "webhook_deliveries",
        ["claimed_until"],
        sqlite_where=claimed,
        postgresql_where=claimed,
    )


def downgrade() -> None:
    op.drop_index("ix_webhook_deliveries_claimed_until", "webhook_deliveries")
    op.drop_column("webhooks", "failures")
    for table, name, _ in reversed(_COLUMNS):
        op.drop_column(table, name)
