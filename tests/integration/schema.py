"""Migrates a test's database."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine

INI = Path(__file__).parents[2] / "migrations" / "alembic.ini"


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Migrate the database up to a revision."""
    command.upgrade(_config(engine), revision)


def downgrade(engine: Engine, revision: str = "base") -> None:
    """Migrate the database down to a revision; "base" is the empty database."""
    command.downgrade(_config(engine), revision)


def _config(engine: Engine) -> Config:
    config = Config(INI)
    config.attributes["engine"] = engine
    return config
