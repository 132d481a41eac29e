"""Servers that tests share; each is started by the first test that asks for it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

# Nothing that a test starts may tell this clone's own service that it has asked for keys (`api.open_mode`).
os.environ["STATE_DIR"] = tempfile.mkdtemp(prefix="liveness-state-")

pytest_plugins = [
    "tests.integration.postgres",
    "tests.integration.rabbitmq_server",
    "tests.integration.redis_server",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """A recording in place of the drawn performer: `pytest tests/e2e -k whole --film me.mp4 --film-types SMILE,BLINK`."""
    parser.addoption("--film", type=Path, help="a recording of a person, before the browser's camera (tests/e2e)")
    parser.addoption("--film-types", help="the challenges that are met in it, again and again")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole services come last: their browser's event loop runs until the end, and would be in others' way."""
    items.sort(key=lambda item: "e2e" in item.path.parts)
