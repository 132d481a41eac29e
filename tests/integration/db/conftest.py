"""Each test runs on SQLite and on PostgreSQL, in a database of its own, with the schema that the migrations make."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from shared.db import make_engine
from tests.integration import schema


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/rows.db"
    found: str = request.getfixturevalue("postgres_url")
    return found


@pytest.fixture
def empty(url: str) -> Iterator[Engine]:
    """An engine on the empty database."""
    engine = make_engine(url)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(empty: Engine) -> Engine:
    """An engine on a database that has the newest schema."""
    schema.create(empty)
    return empty
