"""Add the previous secret of a webhook, which stays valid for a while after a change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("webhooks", sa.Column("former_secret", sa.String(100)))
    op.add_column("webhooks", sa.Column("former_until", sa.Double))


def downgrade() -> None:
    op.drop_column("webhooks", "former_until")
    op.drop_column("webhooks", "former_secret")
