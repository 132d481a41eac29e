"""A real Redis for the tests, as a pytest plugin (tests/conftest.py names it)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest
import redis

from ops.lab.rig.servers import Redis as RedisServer
from tests.integration.starting import started


def running_server() -> AbstractContextManager[RedisServer]:
    """A Redis that belongs to one test, which may stop it."""
    return started(RedisServer)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A running Redis, started once for the whole run."""
    with running_server() as server:
        yield server


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The URL of the running Redis, which is empty when the test begins."""
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    return redis_server.url
