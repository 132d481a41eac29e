"""A real RabbitMQ for the tests, as a pytest plugin (tests/conftest.py names it)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest

from ops.lab.rig.servers import Rabbitmq
from tests.integration.starting import started


def running_server() -> AbstractContextManager[Rabbitmq]:
    """A RabbitMQ that belongs to one test, which may kill it."""
    return started(Rabbitmq)


@pytest.fixture(scope="session")
def rabbitmq_server() -> Iterator[Rabbitmq]:
    """A running RabbitMQ, started once for the whole run."""
    with running_server() as server:
        yield server


@pytest.fixture
def rabbitmq_url(rabbitmq_server: Rabbitmq) -> str:
    """The URL of the running RabbitMQ; tests use queues with names of their own, or empty them."""
    return rabbitmq_server.url
