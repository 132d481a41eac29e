"""Clients that are slow, greedy or wrong, at gunicorn with the worker that the service runs: others do not notice.

It has two threads and room for twenty connections. Most of it stops gunicorn's own worker.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from api.headers import USUAL
from ops.run.ports import free_port
from tests.integration.workers.service import end_with_children
from tests.waiting import PATIENCE, until

ROOT = Path(__file__).parents[3]
THREADS, CONNECTIONS = 2, 20
#: An app that says how many bytes it was sent, and of /large gives more than a client's buffer takes. It does not read what
#: is sent to /early, answers /wait… when it may, and refuses at its door what is sent to /refused. Patience is shortened,
#: and little is held, so that tests need not wait for long nor send much.
APP = """
import time
from pathlib import Path
from api.serving import slow_clients as limits
limits.REQUEST_WITHIN, limits.SLOWEST, limits.MOST_BUFFERED = 4.0, 8192, 2**20
HERE = Path(__file__).parent
class Door:
    def refusal(self, head):
        if head.startswith(b"POST /refused "):
            return b"HTTP/1.1 503 No\\r\\nContent-Length: 4\\r\\n\\r\\ndoor", b"Connection: close" not in head
def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path.startswith("/wait"):
        (HERE / path[1:]).touch()
        while (HERE / path[1:]).exists():
            time.sleep(0.01)
    read = 0 if path == "/early" else len(environ["wsgi.input"].read())
    body = bytes(80_000) if path == "/large" else str(read).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
app.extensions = {"door": Door()}
"""
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Server:
    """gunicorn, until `stop`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        (directory / "app.py").write_text(APP)
        self.port = free_port()
        command = [
            sys.executable,
            "-m",
            "gunicorn",
            "-k",
            "api.serving.worker.ReceivingWorker",
            "--threads",
            f"{THREADS}",
        ]
        command += ["--worker-connections", f"{CONNECTIONS}", "--keep-alive", f"{PATIENCE:.0f}", "--no-control-socket"]
        command += ["-b", f"127.0.0.1:{self.port}", "--pythonpath", f"{directory},{ROOT}", "app:app"]
        with (directory / "log").open("wb") as log:
            self.process = psutil.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        until(self.answers)
        (self.worker,) = self.process.children()

    def answers(self) -> bool:
        with contextlib.suppress(OSError):
            return self.ask() == b"0"
        return False

    def connect(self, receive_buffer: int | None = None) -> socket.socket:
        client = socket.socket()
        if receive_buffer is not None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        client.settimeout(PATIENCE)
        client.connect(("127.0.0.1", self.port))
        return client

    def ask(self, body: bytes = b"", path: str = "/") -> bytes:
        """An ordinary client's request, on a connection of its own."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            client.request("POST", path, body)
            answer = client.getresponse()
            assert answer.status == 200
            return answer.read()
        finally:
            client.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("app"))
    with server.process:
        yield server
        end_with_children(server.process)


@pytest.fixture
def stopping(tmp_path: Path) -> Iterator[Server]:
    """One of its own, to be stopped."""
    server = Server(tmp_path)
    with server.process:
        yield server
        if server.process.is_running():
            end_with_children(server.process)


@pytest.fixture(autouse=True)
def _same_process(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "server" in request.fixturenames:
        server = request.getfixturevalue("server")
        assert server.worker in server.process.children(), "nothing that a client does ends a process"


def post(*lines: str, path: str = "/", version: str = "1.1") -> bytes:
    return "\r\n".join((f"POST {path} HTTP/{version}", "Host: x", *lines, "", "")).encode()


def read_answer(client: socket.socket, received: bytes = b"") -> tuple[bytes, bytes, bytes]:
    """Head and body of the next answer, and what came after it."""
    while b"\r\n\r\n" not in received:
        part = client.recv(65536)
        assert part, f"closed after {received!r}"
        received += part
    head, _, rest = received.partition(b"\r\n\r\n")
    if b" 100 " in head.splitlines()[0]:
        return head, b"", rest
    (length,) = [int(line.split(b":")[1]) for line in head.splitlines() if line.lower().startswith(b"content-length")]
    while len(rest) < length:
        part = client.recv(65536)
        assert part, "closed within an answer"
        rest += part
    return head, rest[:length], rest[length:]


def ends(client: socket.socket) -> bool:
    """Whether the server closes the connection; what it says before is passed over."""
    try:
        while client.recv(65536):
            pass
    except ConnectionResetError:
        pass
    return True


class Dribblers:
    """Clients that send a byte now and then, until `stop`."""

    def __init__(self, server: Server, starts: list[bytes]) -> None:
        self.clients = [server.connect() for _ in starts]
        for client, start in zip(self.clients, starts, strict=True):
            client.sendall(start)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._dribble)
        self._thread.start()

    def _dribble(self) -> None:
        while not self._stopped.wait(0.2):
            for client in self.clients:
                with contextlib.suppress(OSError):
                    client.send(b"a")

    def __enter__(self) -> Dribblers:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()
        for client in self.clients:
            client.close()


HEADS = [
    b"",
    b"POST / HT",
    b"POST / HTTP/1.1\r\nX-A: ",
    post("Content-Length: 60000"),
    post("Transfer-Encoding: chunked"),
]


def test_who_dribbles_holds_no_thread_and_is_told_so(server: Server) -> None:
    with Dribblers(server, HEADS * 2) as dribblers:
        for _ in range(20):
            assert server.ask(bytes(60_000)) == b"60000"
        head, body, _ = read_answer(dribblers.clients[3])
        assert head.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        assert b"Content-Type: application/problem+json" in head
        said = json.loads(body)
        assert said["code"] == "too_slow"
        assert f"X-Request-ID: {said['request_id']}".encode() in head
        assert all(f"\r\n{name}: {value}".encode() in head for name, value in USUAL.items())
        assert all(ends(client) for client in dribblers.clients)


def test_a_slow_phone_is_waited_for(server: Server) -> None:
    """60 KB in two seconds or, where the machine is busy, some more."""
    with server.connect() as client:
        client.sendall(post("Content-Length: 60000"))
        for _ in range(20):
            client.sendall(bytes(3000))
            threading.Event().wait(0.1)
        assert read_answer(client)[1] == b"60000"
        client.sendall(GET)
        assert read_answer(client)[1] == b"0"


@pytest.mark.parametrize("start", [b"", b"POST /", GET])
def test_however_many_connections_there_are_the_next_is_let_in(server: Server, start: bytes) -> None:
    """Idle ones, such as begin a request, such as are kept after one: the oldest gives way."""
    with ExitStack() as open_ones:
        clients = []
        for _ in range(CONNECTIONS * 3):
            client = open_ones.enter_context(server.connect())
            clients.append(client)
            client.sendall(start)
            if start == GET:
                read_answer(client)
            assert server.ask() == b"0"
        assert ends(clients[0])


def test_the_largest_gives_way_when_more_is_on_its_way_than_may_be_held(server: Server) -> None:
    with ExitStack() as open_ones:
        small = open_ones.enter_context(server.connect())
        small.sendall(post("Content-Length: 20000") + bytes(19_999))
        large = [open_ones.enter_context(server.connect()) for _ in range(6)]
        for client in large:
            client.sendall(post("Content-Length: 300000") + bytes(250_000))
        assert server.ask(bytes(60_000)) == b"60000"
        small.sendall(b"\0")
        assert read_answer(small)[1] == b"20000"
        assert server.worker.memory_info().rss < 2**30
        refused = []
        for client in large:
            client.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                refused.append(client.recv(4096))
        assert refused
        assert all(
            b" 503 " in answer and b'"unavailable"' in answer and b"Retry-After: 2" in answer for answer in refused
        )


def test_who_does_not_hang_up_after_his_answer_keeps_nobody_waiting(server: Server) -> None:
    """gunicorn's loop waits for each of them, for two seconds."""
    with ExitStack() as open_ones:
        for _ in range(CONNECTIONS * 3):
            client = open_ones.enter_context(server.connect())
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert b"Connection: close" in read_answer(client)[0]


def test_who_does_not_read_his_answers_holds_no_thread(server: Server) -> None:
    with ExitStack() as open_ones:
        for _ in range(THREADS * 4):
            client = open_ones.enter_context(server.connect(receive_buffer=4096))
            client.sendall(GET.replace(b"/ ", b"/large ", 1) * 100)
        for _ in range(20):
            assert server.ask() == b"0"


def test_who_reads_late_gets_all_his_answers(server: Server) -> None:
    with server.connect(receive_buffer=4096) as client:
        client.sendall(GET.replace(b"/ ", b"/large ", 1) * 8)
        rest = b""
        for _ in range(8):
            _, body, rest = read_answer(client, rest)
            assert len(body) == 80_000


def test_requests_that_come_together_are_answered_one_after_the_other(server: Server) -> None:
    chunked = post("Transfer-Encoding: chunked") + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    with server.connect() as client:
        client.sendall(post("Content-Length: 7") + b"GET / H" + chunked + GET + post("Content-Length: 2"))
        answers, rest = [], b""
        for _ in range(3):
            _, body, rest = read_answer(client, rest)
            answers.append(body)
        assert answers == [b"7", b"5", b"0"]
        client.sendall(b"ab")
        assert read_answer(client, rest)[1] == b"2"


def test_what_an_app_does_not_read_is_not_taken_for_the_next_request(server: Server) -> None:
    with server.connect() as client:
        for body in (b"", GET, bytes(2**18)):
            client.sendall(post(f"Content-Length: {len(body)}", path="/early") + body)
            assert read_answer(client)[1:] == (b"0", b"")
        client.sendall(post("Transfer-Encoding: chunked", path="/early") + b"no number\r\n")
        read_answer(client)
        assert ends(client), "nobody can tell where that one ended"


def test_who_asks_first_is_told_to_go_on_once(server: Server) -> None:
    with server.connect() as client:
        client.sendall(post("Content-Length: 5", "Expect: 100-continue"))
        assert read_answer(client)[0] == b"HTTP/1.1 100 Continue"
        client.sendall(b"hello")
        head, body, rest = read_answer(client)
        assert (head[:15], body, rest) == (b"HTTP/1.1 200 OK", b"5", b"")


def test_who_asks_by_the_old_protocol_or_for_too_much_is_not_told_to_go_on(server: Server) -> None:
    with server.connect() as client:
        client.sendall(post("Content-Length: 5", "Expect: 100-continue", version="1.0") + b"hello")
        assert read_answer(client)[:2][1] == b"5"
        assert ends(client)
    with server.connect() as client:
        client.sendall(post("Content-Length: 999999999", "Expect: 100-continue", path="/early"))
        head, _, _ = read_answer(client)
        assert head.startswith(b"HTTP/1.1 200 ")
        assert b"Connection: close" in head


@pytest.mark.parametrize(
    "wrong",
    [
        b"GET / HTTP/1.1\nHost: x\n\n",
        b"NONSENSE\r\n\r\n",
        post("Content-Length: 5", "Content-Length: 6"),
        post("Content-Length : 5"),
        post("Content-Length: 5", "Transfer-Encoding: chunked"),
        post("Transfer-Encoding: chunked") + b"no number\r\n",
    ],
)
def test_what_is_no_http_is_answered_at_once_and_ends_the_connection(server: Server, wrong: bytes) -> None:
    with server.connect() as client:
        client.sendall(wrong)
        assert read_answer(client)[0].startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 500 "))
        assert ends(client)


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        (b"NONSENSE\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.1\nHost: x\n\n", 400, "bad_request"),
        (post("Content-Length: 5", "Content-Length: 6"), 400, "bad_request"),
        (post("Expect: 200-ok", "Content-Length: 0"), 400, "bad_request"),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, "uri_too_long"),
        (post("X: " + "a" * 9000), 431, "head_too_large"),
        (post(*(f"X-{number}: 1" for number in range(200))), 431, "head_too_large"),
        (post("Transfer-Encoding: foo"), 501, "coding_unknown"),
    ],
)
def test_what_the_parser_refuses_is_a_problem_with_the_usual_headers_and_no_address_in_the_log(
    server: Server, wrong: bytes, status: int, code: str
) -> None:
    with server.connect() as client:
        client.sendall(wrong)
        answer, body, _ = read_answer(client)
        assert ends(client)
    head = answer.decode() + "\r\n"
    assert head.startswith(f"HTTP/1.1 {status} "), head
    for name, value in USUAL.items():
        assert f"\r\n{name}: {value}\r\n" in head, name
    assert "Content-Type: application/problem+json" in head
    problem = json.loads(body)
    assert (problem["code"], problem["status"]) == (code, status)
    log = (server.directory / "log").read_text()
    assert problem["request_id"] in log
    assert "127.0.0.1" not in log.partition("Booting worker")[2]


def test_what_is_refused_at_the_door_needs_no_thread(server: Server) -> None:
    """Nor a connection of its own, and what comes after it is understood."""
    with ExitStack() as waiting:
        signs = [server.directory / f"wait{n}" for n in range(THREADS)]
        for sign in signs:
            client = waiting.enter_context(server.connect())
            client.sendall(post("Content-Length: 0", path=f"/{sign.name}"))
            until(sign.exists)
        with server.connect() as client:
            for size in (0, 5, 300_000):
                client.sendall(post(f"Content-Length: {size}", path="/refused") + bytes(size))
                assert read_answer(client)[1:] == (b"door", b"")
            for sign in signs:
                sign.unlink()
            client.sendall(post("Content-Length: 7") + bytes(7))
            assert read_answer(client)[1] == b"7"


def test_who_is_refused_and_said_that_it_was_all_is_hung_up_on(server: Server) -> None:
    with server.connect() as client:
        client.sendall(post("Connection: close", "Content-Length: 5", path="/refused") + b"hello" + GET)
        client.shutdown(socket.SHUT_WR)
        assert read_answer(client)[1] in (b"door", b"5")
        assert ends(client)
    with server.connect() as client:
        client.sendall(post("Connection: close", "Content-Length: 5", path="/refused") + b"hello")
        assert read_answer(client)[1:] == (b"door", b"")
        assert ends(client)


def test_many_at_once_on_one_connection_are_all_answered(server: Server) -> None:
    """However they are refused, the loop does not go deeper with each."""
    with server.connect() as client:
        client.sendall(post("Content-Length: 0", path="/refused") * 1000 + GET)
        rest = b""
        for _ in range(1000):
            _, body, rest = read_answer(client, rest)
            assert body in (b"door", b"0")
        assert read_answer(client, rest)[1] == b"0"


def test_who_hangs_up_in_the_middle_is_let_go(server: Server) -> None:
    for start in HEADS:
        with server.connect() as client:
            client.sendall(start)
    with server.connect() as client:
        client.sendall(GET)
        client.shutdown(socket.SHUT_WR)
        assert read_answer(client)[1] == b"0"
        assert ends(client)
    until(lambda: not [c for c in server.worker.net_connections() if c.status == psutil.CONN_CLOSE_WAIT])


def test_a_stop_waits_for_what_is_on_its_way_but_not_for_who_dribbles(stopping: Server) -> None:
    with Dribblers(stopping, HEADS), stopping.connect() as client:
        client.sendall(post("Content-Length: 5") + b"he")
        assert stopping.answers()  # and so it has read that much
        stopping.process.send_signal(signal.SIGTERM)
        until(lambda: not any(c.status == psutil.CONN_LISTEN for c in stopping.worker.net_connections()))
        client.sendall(b"llo")
        head, body, _ = read_answer(client)
        assert body == b"5"
        assert b"Connection: close" in head
        assert stopping.process.wait(PATIENCE) == 0


def test_it_runs_only_what_it_can_read() -> None:
    command = [sys.executable, "-m", "gunicorn", "-k", "api.serving.worker.ReceivingWorker", "--proxy-protocol", "v2"]
    done = subprocess.run(
        [*command, "-b", f"127.0.0.1:{free_port()}", "http.server:test"], cwd=ROOT, capture_output=True, check=False
    )
    assert done.returncode != 0
    assert b"plain HTTP/1" in done.stderr
