"""Add the score of a session, and the gesture that has been met and waits for its pass."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sessions", sa.Column("score", sa.Double))
    op.add_column("sessions", sa.Column("held", _json()))


def downgrade() -> None:
    op.drop_column("sessions", "held")
    op.drop_column("sessions", "score")


def _json() -> sa.types.TypeEngine:
    return sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
