"""Behind gunicorn, as the Procfile starts it: what only a real connection can show."""

from __future__ import annotations

import contextlib
import io
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from redis import Redis
from sqlalchemy import Engine

from ops.run.ports import free_port
from shared import api_keys
from shared.api_keys import Role
from shared.db import UnitOfWork, make_engine
from shared.handoff import inflight
from shared.settings import EXIT_CONFIG, Settings
from tests.integration import schema
from tests.integration.api.conftest import SESSIONS
from tests.integration.redis_server import RedisServer
from tests.waiting import PATIENCE, until

ROOT = Path(__file__).parents[3]
CONF = ROOT / "ops" / "gunicorn.conf.py"
UNKNOWN = "00000000-0000-4000-8000-000000000000"


class Server:
    """gunicorn with our configuration, until `stop`."""

    def __init__(self, settings: Settings, log: Path, app: str = "api:create_app()", **environment: str) -> None:
        self.port = free_port()
        self._log = log
        environment = {
            "REDIS_URL": settings.redis_url,
            "DATABASE_URL": settings.database_url,
            "FRAME_DEADLINE": "2",
            "PORT": str(self.port),
            "WEB_THREADS": "8",
            "LOG_FORMAT": "json",
            "STATE_DIR": str(log.parent / "state"),
            **environment,
        }
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "-c", str(CONF), app],
                cwd=ROOT,
                env=os.environ | environment,
                stdout=output,
                stderr=output,
            )
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=PATIENCE)
        deadline = time.monotonic() + 2 * PATIENCE
        while True:
            with contextlib.suppress(httpx.ConnectError):
                self.http.get("/livez")
                return
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                self.process.wait()
                raise RuntimeError(log.read_text())
            time.sleep(0.05)

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._log.read_text().splitlines()]

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def stop(self) -> int:
        self.http.close()
        self.process.terminate()
        return self.process.wait(PATIENCE)


@pytest.fixture(scope="module")
def server(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all tests that leave it as it was: it takes seconds to come up."""
    directory = tmp_path_factory.mktemp("web")
    settings = Settings(_env_file=None, redis_url=redis_server.url, database_url=f"sqlite:///{directory}/rows.db")
    engine = make_engine(settings.database_url)
    schema.create(engine)
    engine.dispose()
    server = Server(settings, directory / "web.log")
    yield server
    server.stop()


def jpeg() -> bytes:
    out = io.BytesIO()
    Image.new("L", (64, 48), 99).save(out, "JPEG")
    return out.getvalue()


def new_session(server: Server) -> str:
    created: str = server.http.post(SESSIONS).json()["session_id"]
    return created


def read_response(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the next response."""
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(4096)
        assert part, f"closed after {received!r}"
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(4096)
    return int(status.split()[1]), headers, body


def head(path: str, *lines: str) -> bytes:
    return "\r\n".join((f"POST {path} HTTP/1.1", "Host: localhost", *lines, "", "")).encode()


def test_it_answers_over_ipv4_and_ipv6(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5):
        pass
    try:
        with socket.create_connection(("::1", server.port), timeout=5):
            pass
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., list[str]]]:
    """Read gunicorn's configuration with some settings, and return the addresses that it binds."""
    from shared.settings import get_settings

    monkeypatch.setattr("shared.telemetry.logs.configure_logging", lambda settings: None)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/rows.db")
    monkeypatch.setenv("STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("PORT", "8123")

    def read(**environment: str) -> list[str]:
        get_settings.cache_clear()
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        bound: list[str] = runpy.run_path(str(CONF))["bind"]
        return bound

    yield read
    get_settings.cache_clear()


def test_without_ipv6_it_listens_on_ipv4(monkeypatch: pytest.MonkeyPatch, configured: Callable[..., list[str]]) -> None:
    original = socket.socket

    def refuse(family: int = socket.AF_INET, *args: Any, **kwargs: Any) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(97, "Address family not supported by protocol")
        return original(family, *args, **kwargs)

    monkeypatch.setattr(socket, "socket", refuse)
    assert configured(AUTH="required") == ["0.0.0.0:8123"]
    assert configured(AUTH="off") == ["127.0.0.1:8123"]


def test_an_open_service_listens_on_this_machine_only(configured: Callable[..., list[str]], tmp_path: Path) -> None:
    here = {"127.0.0.1:8123", "[::1]:8123"}
    engine = make_engine(f"sqlite:///{tmp_path}/rows.db")
    schema.create(engine)
    assert set(configured()) <= here
    assert set(configured(AUTH="off")) <= here
    assert configured(BIND="0.0.0.0, ::1") == ["0.0.0.0:8123", "[::1]:8123"]
    assert not here & set(configured(AUTH="required", BIND=""))
    with UnitOfWork(engine) as uow:
        uow.keys.add(api_keys.make("", Role.SERVER, time.time())[1])
        uow.commit()
    engine.dispose()
    assert not here & set(configured(AUTH="auto"))


def test_a_service_that_had_keys_does_not_start_on_a_database_without_any(
    configured: Callable[..., list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/rows.db")
    schema.create(engine)
    engine.dispose()
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "closed").touch()
    with pytest.raises(SystemExit) as ended:
        configured()
    assert ended.value.code == EXIT_CONFIG
    assert "Mend DATABASE_URL" in capsys.readouterr().err
    assert configured(AUTH="required")


def test_a_setting_that_is_wrong_is_one_sentence_and_no_traceback(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gunicorn", "-c", str(CONF), "api:create_app()"],
        cwd=ROOT,
        env=os.environ | {"WEB_THREADS": "many"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 78
    assert "WEB_THREADS" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("known", [True, False])
def test_a_large_body_is_refused_before_any_of_it_has_come(server: Server, known: bool) -> None:
    """And before anything is looked up."""
    session_id = new_session(server) if known else UNKNOWN
    with server.connect() as connection:
        length = 100 * 2**20
        connection.sendall(
            head(
                f"{SESSIONS}/{session_id}/frame",
                f"Content-Length: {length}",
                "Content-Type: multipart/form-data; boundary=x",
            )
        )
        status, headers, body = read_response(connection)
    assert status == 413
    assert headers["content-type"] == "application/problem+json"
    assert json.loads(body)["code"] == "picture_too_large"
    assert "4 MiB" in json.loads(body)["detail"]


def test_a_body_of_unknown_length_is_refused_at_the_limit(server: Server) -> None:
    session_id = new_session(server)
    chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    start = b'--x\r\nContent-Disposition: form-data; name="image"; filename="f"\r\n\r\n'
    with server.connect() as connection:
        connection.sendall(
            head(
                f"{SESSIONS}/{session_id}/frame",
                "Transfer-Encoding: chunked",
                "Content-Type: multipart/form-data; boundary=x",
            )
        )
        connection.sendall(b"%x\r\n%s\r\n" % (len(start), start))
        sent = 0
        connection.setblocking(False)
        answer = b""
        deadline = time.monotonic() + PATIENCE
        while not answer and time.monotonic() < deadline:
            with contextlib.suppress(BlockingIOError):
                answer = connection.recv(4096)
            if sent < 200 * 2**20:
                with contextlib.suppress(BlockingIOError):
                    # Whole chunks only, so that what arrives stays well formed.
                    connection.setblocking(True)
                    connection.sendall(chunk)
                    sent += len(chunk)
                    connection.setblocking(False)
    assert b" 413 " in answer
    assert sent < 20 * 2**20, "long before a sender without an end was through"


def test_a_client_that_sends_all_before_it_listens_sees_why(server: Server) -> None:
    """12 MiB in one go: the answer, not "connection reset"."""
    session_id = new_session(server)
    answer = server.http.post(f"{SESSIONS}/{session_id}/frame", files={"image": ("f", bytes(12 * 2**20))})
    assert answer.status_code == 413


def test_a_chunked_frame_of_a_fit_size_is_taken(server: Server) -> None:
    """To its end: only a worker is missing."""
    body = b'--x\r\nContent-Disposition: form-data; name="image"; filename="f"\r\n\r\n' + jpeg() + b"\r\n--x--\r\n"
    answer = server.http.post(
        f"{SESSIONS}/{new_session(server)}/frame",
        content=iter([body[:50], body[50:]]),
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )
    assert (answer.status_code, answer.json()["code"]) == (503, "no_answer_in_time")


def test_an_early_answer_leaves_the_connection_usable(server: Server) -> None:
    """A frame for an unknown session is answered before its picture is read, and the next request is understood."""
    picture = bytes(2 * 2**20)
    body = b'--x\r\nContent-Disposition: form-data; name="image"; filename="f"\r\n\r\n' + picture + b"\r\n--x--\r\n"
    with server.connect() as connection:
        for _ in range(3):
            connection.sendall(
                head(
                    f"{SESSIONS}/{UNKNOWN}/frame",
                    f"Content-Length: {len(body)}",
                    "Content-Type: multipart/form-data; boundary=x",
                )
                + body
            )
            status, _, answer = read_response(connection)
            assert (status, json.loads(answer)["code"]) == (404, "session_not_found")


def test_a_frame_has_arrived_when_all_of_it_is_there(server: Server, redis: Redis) -> None:
    """As behind a proxy that buffers: who is asked for a gesture has no more time because he sends his picture slowly."""
    session_id = new_session(server)
    body = b'--x\r\nContent-Disposition: form-data; name="image"; filename="f"\r\n\r\n' + jpeg() + b"\r\n--x--\r\n"
    with server.connect() as connection:
        lines = f"Content-Length: {len(body)}", "Content-Type: multipart/form-data; boundary=x"
        connection.sendall(head(f"{SESSIONS}/{session_id}/frame", *lines) + body[:-1])
        assert server.http.get("/livez").status_code == 200  # and so it has read what there is
        assert not redis.exists(f"inflight:{session_id}")
        seconds, microseconds = redis.time()
        connection.sendall(body[-1:])
        until(lambda: redis.zcard(f"inflight:{session_id}"))
        ((_, arrived_at),) = redis.zrange(f"inflight:{session_id}", 0, -1, withscores=True)
        assert arrived_at > seconds + microseconds / 1e6 - 0.01  # the two clocks are together to some milliseconds
        assert json.loads(read_response(connection)[2])["code"] == "no_answer_in_time"


@pytest.mark.slow
def test_while_the_workers_are_behind_frames_are_refused_at_the_door(
    settings: Settings, engine: Engine, redis: Redis, tmp_path: Path
) -> None:
    """The first is told so by the app, who was told by Redis; the others before the app has them, on the same connection."""
    # For as long as ten thousand frames take a worker at the very least: twenty seconds.
    server = Server(settings, tmp_path / "web.log", FRAMES_PER_WORKER="10000", METRICS_TOKEN="a token for a test")
    try:
        session_id = new_session(server)
        seconds, microseconds = redis.time()
        for n in range(2):  # more than there are workers, and all have waited for longer than FRAME_WAIT
            inflight.wait(redis, f"another's {n}", seconds + microseconds / 1e6 - 3)
        url, files = f"{SESSIONS}/{session_id}/frame", {"image": ("f", jpeg())}
        answers = [server.http.post(url, files=files) for _ in range(4)]
        assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(503, "overloaded")] * 4
        assert [("server" in answer.headers) for answer in answers] == [True, False, False, False], (
            "gunicorn's own field"
        )
        assert len({answer.headers["x-request-id"] for answer in answers}) == 4
        assert server.http.get(f"{SESSIONS}/{session_id}").status_code == 200, "anything else goes on"
        asked = {"Authorization": "Bearer a token for a test"}
        counted = f'liveness_requests_total{{method="POST",rule="{SESSIONS}/<session_id>/frame",status="503"}} 4.0'
        until(lambda: counted in server.http.get("/metrics", headers=asked).text)
    finally:
        server.stop()


def test_a_broken_upload_was_never_there(server: Server, redis: Redis) -> None:
    """The client goes away in the middle of its picture."""
    session_id = new_session(server)
    with server.connect() as connection:
        lines = "Content-Length: 5000", "Content-Type: multipart/form-data; boundary=x"
        connection.sendall(head(f"{SESSIONS}/{session_id}/frame", *lines) + b"--x\r\n")
        assert server.http.get("/livez").status_code == 200
    assert server.http.get("/livez").status_code == 200
    assert not redis.exists(f"inflight:{session_id}")
    assert not [line for line in server.log() if line.get("session_id") == session_id]


@pytest.mark.slow
def test_a_stop_lets_a_waiting_frame_be_answered(
    settings: Settings, engine: Engine, redis: Redis, tmp_path: Path
) -> None:
    server = Server(settings, tmp_path / "web.log")
    session_id = new_session(server)
    answers: list[httpx.Response] = []

    def ask() -> None:
        url = f"http://127.0.0.1:{server.port}{SESSIONS}/{session_id}/frame"
        answers.append(httpx.post(url, files={"image": ("f", jpeg())}, timeout=PATIENCE))

    waiting = threading.Thread(target=ask)
    waiting.start()
    until(lambda: redis.exists("underway"))
    server.http.close()
    server.process.send_signal(signal.SIGTERM)
    waiting.join(PATIENCE)
    assert server.process.wait(PATIENCE) == 0
    assert answers[0].json()["code"] == "no_answer_in_time"


@pytest.mark.slow
def test_each_process_has_connections_of_its_own(
    settings: Settings, engine: Engine, redis: Redis, tmp_path: Path
) -> None:
    server = Server(settings, tmp_path / "web.log", WEB_CONCURRENCY="2")
    try:
        created = [new_session(server) for _ in range(20)]
        for session_id in created:
            with httpx.Client(base_url=f"http://127.0.0.1:{server.port}") as fresh:
                assert fresh.get(f"{SESSIONS}/{session_id}").status_code == 200
                assert fresh.get("/readyz").json()["checks"]["redis"] == "ok"
    finally:
        assert server.stop() == 0
    assert not [line for line in server.log() if line["level"] in ("error", "critical")]


@pytest.mark.slow
def test_what_was_loaded_stays_shared(settings: Settings, engine: Engine, tmp_path: Path) -> None:
    """A process's garbage collector does not go through it: it would write to each object, and so copy each page."""
    (tmp_path / "frozen.py").write_text(
        "import gc\n"
        "from api import create_app\n"
        "def create():\n"
        "    app = create_app()\n"
        "    app.add_url_rule('/frozen', view_func=lambda: str(gc.get_freeze_count()))\n"
        "    return app\n"
    )
    server = Server(settings, tmp_path / "web.log", "frozen:create()", PYTHONPATH=f"{tmp_path}:{ROOT}")
    try:
        assert int(server.http.get("/frozen").text) > 10_000
    finally:
        server.stop()


def test_each_request_is_one_line_with_its_id(server: Server) -> None:
    server.http.get("/readyz", headers={"X-Request-ID": "look-for-me"})

    def told() -> list[dict[str, Any]]:
        return [line for line in server.log() if line.get("request_id") == "look-for-me" and line["event"] == "request"]

    until(told)
    lines = told()
    assert [(line["method"], line["rule"], line["status"]) for line in lines] == [("GET", "/readyz", 503)]
