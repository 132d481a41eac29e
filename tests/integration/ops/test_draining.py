"""A web process that is told to stop: who has come is answered, who comes later is refused, nobody is cut off."""

from __future__ import annotations

import http.client
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.integration.ports import free_port

ROOT = Path(__file__).parents[3]
#: Takes half a second for each request.
APP = """
import time
def app(environ, start_response):
    time.sleep(0.5)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """gunicorn with the worker of ops/gunicorn.conf.py, two threads, and its port."""
    (tmp_path / "slow.py").write_text(APP)
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "-k", "ops.draining.DrainingWorker", "--threads", "2"]
    command += ["-b", f"127.0.0.1:{port}", "--pythonpath", f"{tmp_path},{ROOT}", "--no-control-socket", "slow:app"]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 20
    while ask(port) != "200":
        assert time.monotonic() < until, "gunicorn does not answer"
        time.sleep(0.1)
    yield process, port
    process.kill()
    process.wait()


def ask(port: int) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/")
        return str(connection.getresponse().status)
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
    finally:
        connection.close()


def test_who_has_come_is_answered_and_who_comes_later_is_refused(server):
    process, port = server
    with ThreadPoolExecutor(10) as clients:
        come = [clients.submit(ask, port) for _ in range(8)]
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        later = [ask(port) for _ in range(3)]
        assert [answer.result() for answer in come] == ["200"] * 8
    # Not "ConnectionResetError": a balancer cannot tell what became of a request that was cut off.
    assert later == ["ConnectionRefusedError"] * 3
    assert process.wait(10) == 0


def test_the_service_runs_it():
    assert 'worker_class = "ops.draining.DrainingWorker"' in (ROOT / "ops" / "gunicorn.conf.py").read_text()
