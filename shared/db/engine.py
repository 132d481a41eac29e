"""Engines: how SQLite and PostgreSQL are opened, and how long each waits."""

from __future__ import annotations

import os
import re
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor, ExceptionContext
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from shared.database_address import PREPARED
from shared.telemetry import tracing

if TYPE_CHECKING:
    from shared.db.patient import PatientConnection

#: Seconds to wait for a connection, from the pool or to the server. libpq's minimum is 2.
CONNECT_TIMEOUT = 2
#: Seconds to wait for another unit's lock; shorter than a frame's deadline.
LOCK_TIMEOUT = 3
#: Seconds that one statement may take; PostgreSQL cancels it then.
STATEMENT_TIMEOUT = 10
#: Seconds after which a process that serves people gives up a statement itself, because a hanging server cancels nothing.
#: Longer than LOCK_TIMEOUT, whose error tells more; together with CONNECT_TIMEOUT about a frame's deadline.
DATABASE_TIMEOUT = 3.5
#: Seconds of silence after which PostgreSQL ends a transaction: a worker that hangs loses its locks.
IDLE_TIMEOUT = 15

#: Seconds that the truncation of SQLite's log waits for other transactions, and others for it.
TRUNCATE_TIMEOUT = 0.2
#: SQLite's `user_version` of a file in which everything deleted has been overwritten.
OVERWRITES = 1

#: Execution option for SQLite's BEGIN: "IMMEDIATE" takes the write lock at the beginning of a unit, not at its first write.
SQLITE_BEGIN = "sqlite_begin"


def make_engine(url: str, *, pool_size: int = 5, patience: float = STATEMENT_TIMEOUT + 1.0) -> Engine:
    """An engine for `sqlite:///path` or `postgresql://…` (also `postgres://…`; the driver is psycopg 3).

    Make one in each process, after the fork. Nothing waits for ever: `sqlalchemy.exc.OperationalError` is raised for a lock,
    a statement or a server that takes too long, `sqlalchemy.exc.TimeoutError` for the pool. Other URLs raise ValueError.

    pool_size: connections kept open, one for each thread that uses the database at the same time; up to twice as many more
    are opened when needed. patience: seconds without an answer after which a connection to PostgreSQL is given up.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() in ("postgres", "postgresql"):
        return tracing.watch(_make_postgresql(parsed, _pool(pool_size), patience))
    if parsed.get_backend_name() == "sqlite":
        return tracing.watch(_make_sqlite(parsed, _pool(pool_size)))
    raise ValueError("The database's URL must begin with sqlite:// or postgresql://")


def truncate_log(engine: Engine) -> bool:
    """Write SQLite's write-ahead log into the file and empty it, so that deleted rows leave both.

    Waits for other transactions for a moment only; False if the log is still in use. Does nothing in PostgreSQL.
    """
    if engine.dialect.name != "sqlite" or not _log_of(engine).exists() or not _log_of(engine).stat().st_size:
        return True
    connection = engine.raw_connection()  # without a BEGIN, within which the pragma would fail
    try:
        cursor = connection.cursor()
        # Writers wait while this one waits for readers.
        cursor.execute(f"PRAGMA busy_timeout = {TRUNCATE_TIMEOUT * 1000:.0f}")
        try:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            (busy, *_) = cursor.fetchone() or (1,)
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {LOCK_TIMEOUT * 1000}")
        return not busy
    finally:
        connection.close()


def overwrite_free_pages(engine: Engine) -> None:
    """Rewrite a SQLite file that an older version wrote, once: it did not overwrite what it deleted.

    Skipped while other processes use the file; the next migration tries again.
    """
    if engine.dialect.name != "sqlite":
        return
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("PRAGMA user_version")
        (written,) = cursor.fetchone() or (OVERWRITES,)
        if written < OVERWRITES:
            cursor.execute("VACUUM")
            cursor.execute(f"PRAGMA user_version = {OVERWRITES}")
    except sqlite3.OperationalError:
        pass  # locked: another process runs
    finally:
        connection.close()
    truncate_log(engine)


def _log_of(engine: Engine) -> Path:
    return Path(f"{engine.url.database}-wal")


def _pool(size: int) -> dict[str, Any]:
    return {
        "pool_size": size,
        "max_overflow": 2 * size,
        "pool_timeout": CONNECT_TIMEOUT,
        # Errors are logged; measures of a person's face do not belong into logs.
        "hide_parameters": True,
        # Faster than json.loads, and a session's JSON is read with each of its frames.
        "json_deserializer": msgspec.json.decode,
    }


def _make_postgresql(url: URL, pool: dict[str, Any], patience: float) -> Engine:
    # Not at the top: with SQLite, psycopg would take 13 MB of each process.
    from shared.db.patient import PatientConnection  # noqa: PLC0415

    prepared = url.query.get(PREPARED, "auto")
    arguments = {
        "connect_timeout": CONNECT_TIMEOUT,
        # Otherwise TCP takes many minutes to notice a vanished server.
        "tcp_user_timeout": 1000 * STATEMENT_TIMEOUT,
        "keepalives_idle": STATEMENT_TIMEOUT,
        "application_name": url.query.get("application_name", "liveness"),
    }
    begins_with = _timeouts(url)
    url = url.set(drivername="postgresql+psycopg").difference_update_query([PREPARED])
    engine = create_engine(url, connect_args=arguments, pool_pre_ping=True, **pool)

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: object, _record: object, args: list[Any], named: dict[str, Any]) -> PatientConnection:
        connection = PatientConnection.connect(*args, **named)
        connection.patience = patience
        connection.begins_with = begins_with
        try:
            if prepared in ("off", "false") or (prepared == "auto" and connection.is_pooled()):
                connection.prepare_threshold = None
        except BaseException:
            connection.close()
            raise
        return connection

    event.listen(engine, "handle_error", _leave_standby)
    return engine


def _leave_standby(context: ExceptionContext) -> None:
    """Give up all connections to a primary that has become a standby, as a managed one may while they stay open.

    Only transactions that mean to write meet this error; new connections follow the server's name.
    """
    if "read-only transaction" in str(context.original_exception):
        context.is_disconnect = True


def _timeouts(url: URL) -> bytes:
    """The statements that set a transaction's timeouts, but for those that the URL's own options set.

    Not parameters of the connection: a pooler refuses them, and may give each transaction another server.
    """
    own = url.query.get("options", "")
    own = own if isinstance(own, str) else " ".join(own)
    timeouts = {
        "lock_timeout": LOCK_TIMEOUT,
        "statement_timeout": STATEMENT_TIMEOUT,
        "idle_in_transaction_session_timeout": IDLE_TIMEOUT,
    }
    set_already = set(re.findall(r"(?:-c\s*|--)([\w-]+)\s*=", own))
    return "; ".join(
        f"SET LOCAL {name} = '{seconds}s'"
        for name, seconds in timeouts.items()
        if not {name, name.replace("_", "-")} & set_already
    ).encode()


def _make_sqlite(url: URL, pool: dict[str, Any]) -> Engine:
    if url.database in (None, "", ":memory:"):
        raise ValueError("SQLite needs a file, e.g. sqlite:///var/liveness.db: several processes share the rows")
    _make_private(Path(str(url.database)))
    engine = create_engine(url, connect_args={"timeout": LOCK_TIMEOUT}, **pool)
    event.listen(engine, "connect", _open_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_private(path: Path) -> None:
    """Create the file, and its directories, for this user only; SQLite gives its log the same mode.

    An existing file keeps its mode.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Never an existing file: closing it here would release the locks that this process holds on it elsewhere.
    with suppress(OSError):  # SQLite says what is wrong
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _open_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    # The driver's own BEGIN comes with the first write and is never IMMEDIATE: `_begin_sqlite` replaces it.
    connection.isolation_level = None
    cursor = connection.cursor()
    # WAL: readers and the writer do not wait for each other. NORMAL: a commit does not wait for the disk; a power cut can
    # lose the latest commits but not corrupt the file.
    _switch_to_wal(cursor)
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    # Deleted rows are overwritten with zeros (`truncate_log` empties the log of them), and temporary tables stay in memory.
    cursor.execute("PRAGMA secure_delete = ON")
    cursor.execute("PRAGMA temp_store = MEMORY")
    cursor.close()


def _switch_to_wal(cursor: DBAPICursor) -> None:
    """Switch the file to write-ahead logging, which lasts: only processes that open a new file at once can collide.

    SQLite ignores its busy timeout for this pragma and fails at once, so the waiting is done here.
    """
    deadline = time.monotonic() + LOCK_TIMEOUT
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    begin = f"BEGIN {connection.get_execution_options().get(SQLITE_BEGIN, 'DEFERRED')}"
    driver: Any = connection.connection.driver_connection
    try:
        # By the driver directly, which is faster than SQLAlchemy's execution of a statement.
        driver.execute(begin)
    except sqlite3.OperationalError as error:
        raise OperationalError(begin, None, error) from error
