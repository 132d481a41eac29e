"""A real PostgreSQL for the tests, as a pytest plugin (tests/conftest.py names it)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ops.lab.rig.servers import QuickPostgres
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
