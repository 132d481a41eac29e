"""Services to test with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.integration.redis_server import RedisServer
from tests.integration.workers.scripted_worker import Gate
from tests.integration.workers.service import Service


@pytest.fixture
def service(redis_url: str, tmp_path: Path) -> Iterator[Service]:
    """Redis, a migrated SQLite, and no worker yet: for one test alone."""
    service = Service(redis_url, tmp_path)
    yield service
    service.close()


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    """Holds frames in their workers' hands."""
    return Gate(tmp_path / "gate")


@pytest.fixture(scope="module")
def running(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with two workers, for all tests of a module; each has sessions of its own."""
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    service = Service(redis_server.url, tmp_path_factory.mktemp("running"))
    try:
        service.start_workers(2)
        yield service
    finally:
        service.close()
