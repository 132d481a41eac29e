"""How Alembic reaches the database: by DATABASE_URL, or by an engine that a test hands over as attribute "engine"."""

from __future__ import annotations

from logging.config import fileConfig

from alembic import context
from sqlalchemy import Connection, Engine

from shared.db.engine import SQLITE_BEGIN, make_engine
from shared.db.tables import metadata

#: PostgreSQL's advisory lock under which migrations run: any number that nothing else in the database uses.
LOCK = 6_512_977_103


def _engine() -> Engine:
    # Here, not above: whoever hands an engine over needs no settings.
    from shared.settings import get_settings  # noqa: PLC0415

    if context.config.config_file_name is not None:
        fileConfig(context.config.config_file_name, disable_existing_loggers=False)
    return make_engine(get_settings().database_url)


def _migrate(connection: Connection) -> None:
    """Run what was asked for, as one transaction; a second migration started meanwhile waits and then finds it done."""
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:
        # Altering a SQLite table means copying and dropping it, and the drop would take the rows that refer to it.
        # Within a transaction this pragma does nothing, so it goes to the driver's connection, before the BEGIN.
        connection.connection.cursor().execute("PRAGMA foreign_keys = OFF")
        connection.execution_options(**{SQLITE_BEGIN: "IMMEDIATE"})
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=sqlite,
        # Alembic thinks that SQLite cannot undo a CREATE TABLE. It can, with the BEGIN that our engine gives.
        transactional_ddl=True,
    )
    with context.begin_transaction():
        if not sqlite:
            # What waits for this lock, or alters a large table, takes longer than a frame's statement may.
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            connection.exec_driver_sql("SET LOCAL lock_timeout = '60s'")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
        context.run_migrations()


def run() -> None:
    """Migrate, and leave no connection behind on which foreign keys are off."""
    given: Engine | None = context.config.attributes.get("engine")
    engine = given or _engine()
    with engine.connect() as connection:
        _migrate(connection)
        connection.detach()
    if given is None:
        engine.dispose()


if context.is_offline_mode():
    raise SystemExit("Migrations need the database: run them without --sql")
run()
