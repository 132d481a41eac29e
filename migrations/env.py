"""Alembic's environment: it migrates the database at DATABASE_URL, or that of the engine in the attribute "engine"."""

from __future__ import annotations

from logging.config import fileConfig

from alembic import context
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from shared.db.engine import SQLITE_BEGIN, make_engine, overwrite_free_pages
from shared.db.tables import metadata

#: Number of PostgreSQL's advisory lock under which migrations run; any number that nothing else in the database uses.
LOCK = 6_512_977_103


def _engine() -> Engine:
    # Imported here, because a caller with an engine of its own needs no settings.
    from shared.settings import load_settings_or_exit  # noqa: PLC0415

    if context.config.config_file_name is not None:
        fileConfig(context.config.config_file_name, disable_existing_loggers=False)
    return make_engine(load_settings_or_exit().database_url)


def _migrate(connection: Connection) -> None:
    """Run the requested migrations in one transaction; a second run at the same time waits, and then finds them done."""
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:
        # A SQLite table is altered by copying and dropping it, and the drop would delete the rows that refer to it.
        # Within a transaction this pragma does nothing, so the driver's connection runs it before the BEGIN.
        connection.connection.cursor().execute("PRAGMA foreign_keys = OFF")
        connection.execution_options(**{SQLITE_BEGIN: "IMMEDIATE"})
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=sqlite,
        # Alembic assumes that SQLite cannot roll back a CREATE TABLE. It can, after the BEGIN that our engine sends.
        transactional_ddl=True,
    )
    with context.begin_transaction():
        if not sqlite:
            # Waiting for this lock and altering a large table take longer than the engine allows a statement.
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            connection.exec_driver_sql("SET LOCAL lock_timeout = '60s'")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
        context.run_migrations()


def _said(error: OperationalError) -> str:
    """What the driver said, in one line."""
    return " ".join(str(error.orig).split())


def run() -> None:
    """Migrate, and return no connection to the pool on which foreign keys are off."""
    given: Engine | None = context.config.attributes.get("engine")
    engine = given or _engine()
    try:
        connection = engine.connect()
    except OperationalError as error:
        if given is not None:
            raise
        raise SystemExit(f"Not migrated: the database at DATABASE_URL cannot be reached: {_said(error)}") from None
    with connection:
        _migrate(connection)
        connection.detach()
    overwrite_free_pages(engine)
    if given is None:
        engine.dispose()


if context.is_offline_mode():
    raise SystemExit("Migrations need the database: run them without --sql")
run()
