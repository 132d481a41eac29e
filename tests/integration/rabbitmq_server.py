"""A real RabbitMQ for the tests, as a pytest plugin (tests/conftest.py names it).

- `rabbitmq_server`: a node of its own, started once for the whole run and thrown away after it. Skips where the machine
  has none; in CI, a missing one is an error.
- `rabbitmq_url`: its URL; the queues that tests use are to be named by themselves or emptied.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ops.run.ports import free_port

#: Seconds that an Erlang machine may take to come up.
BOOT = 60


class RabbitmqServer:
    """A node in a directory of its own, from `start` to `stop`."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._directory = Path(tempfile.mkdtemp(prefix="rabbitmq-"))
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        plugins = self._directory / "enabled_plugins"
        plugins.write_text("[].\n")
        self._environment = os.environ | {
            "HOME": str(self._directory),  # for the Erlang cookie
            "RABBITMQ_NODENAME": f"test{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(self._directory / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self._directory / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
            "RABBITMQ_CONF_ENV_FILE": str(self._directory / "none"),
            "RABBITMQ_CONFIG_FILE": str(self._directory / "none"),
            "ERL_EPMD_PORT": str(free_port()),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }

    @property
    def url(self) -> str:
        """Its default virtual host."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}/%2F"

    def start(self) -> None:
        """Start it; returns when it greets an AMQP client."""
        with (self._directory / "output").open("ab") as output:
            self._process = subprocess.Popen(
                [self._program], env=self._environment, stdout=output, stderr=output, start_new_session=True
            )
        deadline = time.monotonic() + BOOT
        while not self._greets():
            if time.monotonic() > deadline or self._process.poll() is not None:
                said = (self._directory / "output").read_text(errors="replace")
                raise RuntimeError(f"RabbitMQ does not start: {said[-2000:]}")
            time.sleep(0.2)

    def kill(self) -> None:
        """Kill it; what it has written to its disk is there when it is started again."""
        if self._process is not None:
            # The whole group: the program is a shell script, and Erlang its child.
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def stop(self) -> None:
        """Stop it and remove all of it."""
        if self._process is not None:
            self.kill()
            self._kill_port_mapper()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _kill_port_mapper(self) -> None:
        # It is a daemon, and its own `epmd -kill` refuses while it believes that the node lives.
        for process in psutil.process_iter(["name"]):
            with contextlib.suppress(psutil.Error):
                if process.info["name"] == "epmd" and process.environ().get("HOME") == str(self._directory):
                    process.kill()

    def _greets(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                connection.sendall(b"AMQP\x00\x00\x09\x01")
                return bool(connection.recv(1))
        except OSError:
            return False


def find_program() -> str | None:
    """The server's own script: the one on PATH may insist on a system-wide node and account (Debian's does)."""
    own = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
    return str(own) if own.exists() else shutil.which("rabbitmq-server")


@pytest.fixture(scope="session")
def rabbitmq_server() -> Iterator[RabbitmqServer]:
    """A running RabbitMQ."""
    program = find_program()
    if program is None:
        reason = "no RabbitMQ: there is no rabbitmq-server"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}; in CI it must be installed", pytrace=False)
        pytest.skip(reason)
    server = RabbitmqServer(program)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def rabbitmq_url(rabbitmq_server: RabbitmqServer) -> str:
    """The URL of the running RabbitMQ."""
    return rabbitmq_server.url
