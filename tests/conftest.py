"""Servers that tests share, the markers that a test's place gives it, and the order of files.

Each server is started by the first test that asks for it, once in each process of pytest-xdist.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

# As the workers do (workers/__main__.py): OpenBLAS's threads spin while they wait, which costs more than they save. Before
# anything imports numpy, and for the processes that tests start as well.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest

from tests.scheduling import FileByFile, file_of, rank

# Nothing that a test starts may tell this clone's own service that it has asked for keys (`api.open_mode`).
os.environ["STATE_DIR"] = tempfile.mkdtemp(prefix="liveness-state-")

pytest_plugins = [
    "tests.integration.postgres",
    "tests.integration.rabbitmq_server",
    "tests.integration.redis_server",
]

#: Tests of the laboratory outside of folders named `lab`.
LAB = "tests/e2e/test_bench.py", "tests/e2e/test_faults.py"


def pytest_addoption(parser: pytest.Parser) -> None:
    """A recording in place of the drawn performer: `pytest tests/e2e -k whole --film me.mp4 --film-types SMILE,BLINK`."""
    parser.addoption("--film", type=Path, help="a recording of a person, before the browser's camera (tests/e2e)")
    parser.addoption("--film-types", help="the challenges that are met in it, again and again")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by where they are, and put the longest files first."""
    for item in items:
        folders = item.path.parent.parts
        if "lab" in folders or file_of(item.nodeid) in LAB:
            item.add_marker("lab")
        if "e2e" in folders:
            item.add_marker("e2e")
    items.sort(key=rank)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> FileByFile | None:
    """For `--dist loadfile`, which `ops/test` asks for, our own form of it."""
    return FileByFile(config, log) if config.getvalue("dist") == "loadfile" else None
