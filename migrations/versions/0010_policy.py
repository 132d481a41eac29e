"""Add the terms of a session, the browser that its token belongs to, and the policy of an API key."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010_policy"
down_revision = "0010_keys"
branch_labels = None
depends_on = None


def upgrade() -> None:
    json = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
    op.add_column("sessions", sa.Column("terms", json))
    op.add_column("sessions", sa.Column("browser", sa.String(64)))
    op.add_column("api_keys", sa.Column("policy", sa.String(500)))


def downgrade() -> None:
    op.drop_column("api_keys", "policy")
    op.drop_column("sessions", "browser")
    op.drop_column("sessions", "terms")
