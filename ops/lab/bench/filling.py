"""Many sessions in a database, quickly: ended ones, as a service that has been busy for hours keeps them."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator

import psycopg
from sqlalchemy import make_url

#: Sessions of one transaction: others come to their locks in between.
CHUNK = 50_000
#: Seconds over which their ends are spread, up to now: short of RETENTION_HOURS, so that no purge comes for them.
SPREAD = 12 * 3600

#: How a session is told from its number {n}: its id (numbers scattered, as random ids are) and when it ended.
_ID = {
    "sqlite": "printf('%08x-0000-4000-8000-%012x', ({n} * 2654435761) % 4294967296, {n})",
    "postgresql": (
        "lpad(to_hex(({n}::bigint * 2654435761) % 4294967296), 8, '0')"
        " || '-0000-4000-8000-' || lpad(to_hex({n}), 12, '0')"
    ),
}
_NUMBERS = {
    "sqlite": "(WITH RECURSIVE s(n) AS (SELECT {low} UNION ALL SELECT n + 1 FROM s WHERE n + 1 < {high}) SELECT n FROM s)",
    "postgresql": "(SELECT n FROM generate_series({low}, {high} - 1) AS n)",
}
_TRUE = {"sqlite": "1", "postgresql": "true"}
#: Rows of a session: itself, three challenges passed, its creation in the audit, its end among the events. Its frames are
#: forgotten soon after its end, and so are not among them.
_STATEMENTS = (
    """
    INSERT INTO sessions (id, state, mirrored, created_at, expires_at, started_at, ended_at, is_live, preset)
    SELECT {id}, 'completed', NOT {true}, {ended} - 20, {ended} + 280, {ended} - 15, {ended}, {true}, 'standard'
    FROM {numbers} AS one ORDER BY 1
    """,
    """
    INSERT INTO challenges (session_id, position, type, timeout_seconds, started_at, passed_at, confidence)
    SELECT {id}, p, 'SMILE', 5, {ended} - 15 + 5 * p, {ended} - 10 + 5 * p, 0.9
    FROM {numbers} AS one, (SELECT 0 AS p UNION ALL SELECT 1 UNION ALL SELECT 2) AS of_it ORDER BY 1, 2
    """,
    """
    INSERT INTO audit (at, action, session_id, who, network, request_id)
    SELECT {ended} - 20, 'session.created', {id}, 'anyone', '127.0.0.0/24', 'bench' FROM {numbers} AS one
    """,
    """
    INSERT INTO outbox (event_id, session_id, type, at, data, published_at)
    SELECT {id}, {id}, 'session.completed', {ended}, '{{}}', {ended} FROM {numbers} AS one
    """,
)


def fill(url: str, low: int, high: int) -> None:
    """Put the sessions numbered from `low` up to `high` into the database at `url`."""
    kind = make_url(url).get_backend_name()
    if kind == "sqlite":
        connection = sqlite3.connect(make_url(url).database or "", timeout=60)
        try:
            for statements in _chunks(kind, low, high):
                with connection:
                    for statement in statements:
                        connection.execute(statement)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()
    else:
        with psycopg.connect(url, autocommit=True) as server:
            for statements in _chunks(kind, low, high):
                with server.transaction():
                    for statement in statements:
                        server.execute(statement.encode())
            server.execute("VACUUM ANALYZE")  # what autovacuum would do soon, in the middle of the measuring
            server.execute("CHECKPOINT")


def _chunks(kind: str, low: int, high: int) -> Iterator[list[str]]:
    now = time.time()
    for begin in range(low, high, CHUNK):
        words = {"id": _ID[kind].format(n="n"), "true": _TRUE[kind], "ended": f"({now:.3f} - n % {SPREAD})"}
        words["numbers"] = _NUMBERS[kind].format(low=begin, high=min(high, begin + CHUNK))
        yield [statement.format(**words) for statement in _STATEMENTS]
