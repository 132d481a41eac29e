"""A real PostgreSQL for the tests, as a pytest plugin (tests/conftest.py names it)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.lab.rig.servers import PgBouncer, QuickPostgres
from tests.integration.starting import started


@pytest.fixture(scope="session")
def postgres() -> Iterator[QuickPostgres]:
    """A running PostgreSQL, started once for the whole run."""
    with started(QuickPostgres) as server:
        yield server


@pytest.fixture
def postgres_url(postgres: QuickPostgres) -> Iterator[str]:
    """The SQLAlchemy URL of a new, empty database."""
    name = postgres.create_database()
    yield postgres.database_url(name).replace("postgresql://", "postgresql+psycopg://")
    postgres.drop_database(name)


@pytest.fixture(scope="session")
def pgbouncer(postgres: QuickPostgres) -> Iterator[PgBouncer]:
    """A running PgBouncer in transaction mode before the PostgreSQL, started once for the whole run."""

    def behind_it(directory: Path) -> PgBouncer:
        server = PgBouncer(directory)
        server.behind = postgres
        return server

    with started(behind_it) as server:
        yield server


@pytest.fixture
def pooled_url(pgbouncer: PgBouncer, postgres: QuickPostgres) -> Iterator[str]:
    """The SQLAlchemy URL of a new, empty database behind PgBouncer."""
    name = postgres.create_database()
    yield pgbouncer.database_url(name).replace("postgresql://", "postgresql+psycopg://")
    postgres.drop_database(name)
