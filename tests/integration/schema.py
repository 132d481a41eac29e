"""Gives a test's database the schema."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from psycopg import sql
from sqlalchemy import URL, Engine, make_url

from shared.db import make_engine

INI = Path(__file__).parents[2] / "migrations" / "alembic.ini"
#: The database that tests on PostgreSQL are copies of; there is one on each server.
_MIGRATED = "migrated"


def create(engine: Engine) -> None:
    """Give an empty database the newest schema.

    The migrations run once in each test process, and once on each PostgreSQL server; every other database is a copy of
    what they made. Tests of the migrations themselves call `upgrade`.
    """
    if engine.dialect.name == "sqlite":
        assert engine.url.database is not None
        Path(engine.url.database).write_bytes(_migrated_sqlite())
    else:
        _copy_postgresql(engine)


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


def _migrate(url: URL) -> None:
    engine = make_engine(url.render_as_string(hide_password=False))
    upgrade(engine)
    engine.dispose()


@cache
def _migrated_sqlite() -> bytes:
    """The content of an SQLite file that has been migrated and holds no rows."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "rows.db"
        _migrate(make_url(f"sqlite:///{file}"))
        return file.read_bytes()


def _copy_postgresql(engine: Engine) -> None:
    """Replace the empty database by a copy of the migrated one, which is made first where the server has none."""
    name = engine.url.database
    assert name is not None
    engine.dispose()
    _make_template(engine.url.set(database=_MIGRATED))
    with _administrator(engine.url) as connection:
        connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(copy.format(sql.Identifier(name), sql.Identifier(_MIGRATED)))


@cache
def _make_template(url: URL) -> None:
    with _administrator(url) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_MIGRATED)))
    _migrate(url)


def _administrator(url: URL) -> psycopg.Connection[tuple[object, ...]]:
    """A connection to the same server's own database."""
    own = url.set(drivername="postgresql", database="postgres")
    return psycopg.connect(own.render_as_string(hide_password=False), autocommit=True)
