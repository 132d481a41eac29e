"""An app whose Redis and database are away: what works without them, and what is said then."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask_openapi import OpenAPI

from api import create_app
from shared.settings import Settings


@pytest.fixture
def lone_settings(tmp_path: Path) -> Settings:
    """Nothing answers on port 1, and the database's file has no tables."""
    return Settings(
        _env_file=None,
        redis_url="redis://127.0.0.1:1/0",
        database_url=f"sqlite:///{tmp_path}/empty.db",
        auth="off",  # else nothing is answered before the keys have been read
    )


@pytest.fixture
def lone_app(lone_settings: Settings) -> Iterator[OpenAPI]:
    app = create_app(lone_settings)
    yield app
    app.extensions["resources"].close()
