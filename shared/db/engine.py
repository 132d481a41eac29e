"""The engine: how SQLite and PostgreSQL are opened."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, select
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from shared.db.patient import PatientConnection
from shared.db.tables import sessions
from shared.telemetry import tracing

#: Seconds to wait for a connection, from the pool or to the server. (libpq makes 2 of less.)
CONNECT_TIMEOUT = 2
#: Seconds to wait for another unit's lock. Shorter than the API's patience with a frame.
LOCK_TIMEOUT = 3
#: Seconds that one statement may take, by the server's own watch.
STATEMENT_TIMEOUT = 10
#: Seconds that a statement may take where people wait for it, by ours: a server that hangs ends nothing by itself. Longer
#: than LOCK_TIMEOUT, which tells more; with CONNECT_TIMEOUT about what the API lets a frame take.
DATABASE_TIMEOUT = 3.5
#: Seconds that a unit may hold its locks without a word to the server: a worker that hangs lets go of the session.
IDLE_TIMEOUT = 15

#: Execution option: "IMMEDIATE" takes SQLite's write lock at the beginning of a unit, not at its first write.
SQLITE_BEGIN = "sqlite_begin"


def make_engine(url: str, *, pool_size: int = 5, patience: float = STATEMENT_TIMEOUT + 1.0) -> Engine:
    """An engine for `sqlite:///path` or `postgresql://…` (also `postgres://…`; the driver is psycopg 3).

    To be made after a fork, once a process. `pool_size`: connections kept open, one for each thread that is busy with
    rows at the same time; twice as many more are opened when needed. Nothing waits for ever: what takes too long raises
    `sqlalchemy.exc.OperationalError` (a lock, a statement, the server) or `sqlalchemy.exc.TimeoutError` (the pool).
    `patience`: seconds after which PostgreSQL is taken to hang, and the connection is given up.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() in ("postgres", "postgresql"):
        return tracing.watch(_make_postgresql(parsed, _pool(pool_size), patience))
    if parsed.get_backend_name() == "sqlite":
        return tracing.watch(_make_sqlite(parsed, _pool(pool_size)))
    raise ValueError("The database's URL must begin with sqlite:// or postgresql://")


def ping(engine: Engine) -> None:
    """Raise a `sqlalchemy.exc.SQLAlchemyError` unless the database answers and has been migrated."""
    with engine.connect() as connection:
        connection.execute(select(sessions.c.id).limit(1)).all()


def _pool(size: int) -> dict[str, Any]:
    return {
        "pool_size": size,
        "max_overflow": 2 * size,
        "pool_timeout": CONNECT_TIMEOUT,
        # An error's text goes to the logs; what was measured on a person's face does not belong there.
        "hide_parameters": True,
        # A session's JSON is read with every one of its frames, and this is four times as fast as json.loads.
        "json_deserializer": msgspec.json.decode,
    }


def _make_postgresql(url: URL, pool: dict[str, Any], patience: float) -> Engine:
    timeouts = (
        f"-c lock_timeout={LOCK_TIMEOUT}s -c statement_timeout={STATEMENT_TIMEOUT}s"
        f" -c idle_in_transaction_session_timeout={IDLE_TIMEOUT}s"
    )
    own = url.query.get("options", "")
    arguments = {
        "connect_timeout": CONNECT_TIMEOUT,
        # The URL's own options stand last, and win.
        "options": f"{timeouts} {own if isinstance(own, str) else ' '.join(own)}".strip(),
        # A server that is gone without a word is noticed in seconds, where TCP alone takes many minutes.
        "tcp_user_timeout": 1000 * STATEMENT_TIMEOUT,
        "keepalives_idle": STATEMENT_TIMEOUT,
        "application_name": url.query.get("application_name", "liveness"),
    }
    engine = create_engine(url.set(drivername="postgresql+psycopg"), connect_args=arguments, pool_pre_ping=True, **pool)

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: object, _record: object, args: list[Any], named: dict[str, Any]) -> PatientConnection:
        connection = PatientConnection.connect(*args, **named)
        connection.patience = patience
        return connection

    return engine


def _make_sqlite(url: URL, pool: dict[str, Any]) -> Engine:
    if url.database in (None, "", ":memory:"):
        raise ValueError("SQLite needs a file, e.g. sqlite:///var/liveness.db: several processes share the rows")
    Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": LOCK_TIMEOUT}, **pool)
    event.listen(engine, "connect", _open_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _open_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    # The driver's own BEGIN comes with the first write and is never IMMEDIATE: `_begin_sqlite` says it instead.
    connection.isolation_level = None
    cursor = connection.cursor()
    # Readers do not wait for the writer, nor it for them; NORMAL: a commit waits for no disk, and what a power cut can
    # take is the last moments, never the file's soundness.
    _switch_to_wal(cursor)
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _switch_to_wal(cursor: DBAPICursor) -> None:
    """What lasts in the file, once done: only those who open a new file at the same moment get into each other's way.

    SQLite does not wait for its busy timeout here, but fails at once, so the waiting is done by hand.
    """
    patience = time.monotonic() + LOCK_TIMEOUT
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > patience:
                raise
            time.sleep(0.01)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    begin = f"BEGIN {connection.get_execution_options().get(SQLITE_BEGIN, 'DEFERRED')}"
    driver: Any = connection.connection.driver_connection
    try:
        # Not by SQLAlchemy, whose own way of executing a statement takes three times as long as this one.
        driver.execute(begin)
    except sqlite3.OperationalError as error:
        raise OperationalError(begin, None, error) from error
