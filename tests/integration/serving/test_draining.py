"""A web process that is told to stop: who has come is answered, who comes later is refused, nobody is cut off."""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from api.serving.draining import DrainingWorker
from api.serving.worker import ReceivingWorker
from ops.run.ports import free_port
from tests.integration.workers.service import end_with_children
from tests.waiting import PATIENCE, until

ROOT = Path(__file__).parents[3]
#: Says that a request is in hand, and answers it when it may: files in the current directory.
APP = """
import time
import uuid
from pathlib import Path
def app(environ, start_response):
    Path(f"begun-{uuid.uuid4().hex}").touch()
    while not Path("go").exists():
        time.sleep(0.01)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[psutil.Popen, int]]:
    """gunicorn with the worker of ops/gunicorn.conf.py, two threads, and its port."""
    (tmp_path / "slow.py").write_text(APP)
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "-k", "api.serving.worker.ReceivingWorker", "--threads", "2"]
    command += ["-b", f"127.0.0.1:{port}", "--pythonpath", f"{tmp_path},{ROOT}", "--no-control-socket"]
    command += ["--chdir", str(tmp_path), "--graceful-timeout", f"{PATIENCE:.0f}", "slow:app"]
    with psutil.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        until(lambda: process.children() and listens(process))
        yield process, port
        if process.poll() is None:
            end_with_children(process)


def listens(process: psutil.Process) -> bool:
    return any(each.status == psutil.CONN_LISTEN for each in process.net_connections())


def ask(port: int) -> http.client.HTTPConnection:
    """Connect and send a request; the answer is to be read."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", "/")
    return connection


def test_who_has_come_is_answered_and_who_comes_later_is_refused(server, tmp_path):
    process, port = server
    (worker,) = process.children()
    with ExitStack() as clients:

        def come(count: int) -> list[http.client.HTTPConnection]:
            connections = [ask(port) for _ in range(count)]
            for connection in connections:
                clients.callback(connection.close)
            return connections

        in_hand = come(2)
        until(lambda: len(list(tmp_path.glob("begun-*"))) == 2)
        # These are the system's still when the process is told to stop: it takes no connection meanwhile.
        worker.suspend()
        waiting = come(6)
        process.send_signal(signal.SIGTERM)
        until(lambda: not listens(process))
        worker.resume()
        until(lambda: not listens(worker))
        # Not reset: a balancer cannot tell what became of a request that was cut off.
        for _ in range(3):
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        (tmp_path / "go").touch()
        assert [client.getresponse().status for client in in_hand + waiting] == [200] * 8
    assert process.wait(PATIENCE) == 0


def test_the_service_runs_it():
    assert 'worker_class = "api.serving.worker.ReceivingWorker"' in (ROOT / "ops" / "gunicorn.conf.py").read_text()
    assert issubclass(ReceivingWorker, DrainingWorker)
