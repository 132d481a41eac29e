"""The deployment that docs/deployment.md describes, as it is run on machines of one's own.

RabbitMQ, PostgreSQL, Redis, nginx with the configuration that is shipped, two web processes, two workers, the one that
compares faces, clock and events; before it a client that films the drawn performer.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from liveness_client import Client, Outcome, Reply, Session
from ops.lab.replay.play import play
from ops.lab.replay.sources import Drawing
from ops.lab.rig.processes import Missing, Process
from ops.lab.rig.stack import Backing, Stack
from shared.weights_file import write_weights
from tests.integration.events.conftest import Subscriber
from tests.performer import models_dir  # noqa: F401 - a fixture
from tests.unit.liveness.weights import WEIGHTS
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(150)]

FPS = 8.0
SETTINGS = {
    "TRUSTED_PROXIES": "1",
    "SESSION_TTL": "120",
    "LOG_LEVEL": "DEBUG",  # each frame is a line of the web process that answered it
    "METRICS_TOKEN": "of-this-test-alone",
}
COMPLETED = "liveness.session.completed"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    # By the tests' own weights: to the service's a drawing that moves is one picture, and not always live.
    weights = tmp_path_factory.mktemp("weights") / "weights.json"
    write_weights(weights, WEIGHTS)
    try:
        stack = Stack(Backing.FULL, settings=SETTINGS | {"EVIDENCE_WEIGHTS": str(weights)})
    except Missing as missing:
        pytest.skip(str(missing))
    with stack:
        yield stack


@pytest.fixture(scope="module")
def url(stack: Stack) -> str:
    host, port = stack.front
    return f"http://{host}:{port}"


class Midway:
    """Kills the web processes that it is given once the first challenge is passed; notes what the client went through."""

    def __init__(self, *victims: Process) -> None:
        self._victims = list(victims)
        self.session_id = ""
        self.killed = self.answers_since = 0
        self.troubles: list[str] = []

    def opened(self, session: Session) -> None:
        self.session_id = session.id

    def replied(self, reply: Reply) -> None:
        self.answers_since += bool(self.killed)
        if reply.passed:
            while self._victims:
                self._victims.pop().kill()
                self.killed += 1

    def troubled(self, sentence: str) -> None:
        self.troubles.append(sentence)


def played(url: str, models: Path, listener: Midway) -> Outcome:
    drawing = Drawing(models, FPS)
    try:
        with Client(url) as client:
            return play(client, drawing, listener, fps=FPS, num_challenges=2, timeout_seconds=15)
    finally:
        drawing.close()


def frames_answered(web: Process) -> int:
    return sum('"event": "request"' in line and "/frame" in line for line in web.log.read_text().splitlines())


def test_whole_sessions_one_of_them_through_the_death_of_a_web_process(
    stack: Stack,
    url: str,
    models_dir: Path,  # noqa: F811
) -> None:
    assert stack.rabbitmq is not None
    subscriber = Subscriber(stack.rabbitmq.url, COMPLETED).start()
    try:
        undisturbed = Midway()
        assert played(url, models_dir, undisturbed) == Outcome("completed", True)
        assert undisturbed.troubles == []
        webs = stack.programs_named("web")
        assert len(webs) == 2
        assert all(frames_answered(web) > 3 for web in webs), "nginx has left one of them out"

        disturbed = Midway(webs[0])
        assert played(url, models_dir, disturbed) == Outcome("completed", True)
        assert disturbed.killed == 1
        assert disturbed.answers_since > 3, "the session was all but over when the web process died"
        assert len(disturbed.troubles) <= 1, "more than the frame that was under way was lost"

        until(lambda: len(subscriber.of_sessions()) == 2)
        assert set(subscriber.of_sessions()) == {undisturbed.session_id, disturbed.session_id}
    finally:
        subscriber.stop()


def test_the_balancer_writes_no_picture_to_disk(stack: Stack, url: str) -> None:
    with httpx.Client(base_url=f"{url}/api/v1/liveness", timeout=20) as api:
        session_id = api.post("/sessions").json()["session_id"]
        shutil.rmtree(stack.directory / "nginx" / "body")  # whatever it wrote there would now be a 500
        shutil.rmtree(stack.directory / "nginx" / "proxy")
        reply = api.post(f"/sessions/{session_id}/frame", files={"image": b"\xff\xd8\xff" + bytes(3_900_000)})
        assert reply.status_code in range(400, 500)
        assert reply.json()["code"] not in ("body_too_large", "picture_too_large")


def test_what_is_too_large_is_said_by_the_service_or_in_its_words(url: str) -> None:
    frame = f"{url}/api/v1/liveness/sessions/00000000-0000-4000-8000-000000000000/frame"
    for size, said_by in ((5_000_000, "picture_too_large"), (9_000_000, "body_too_large")):
        reply = httpx.post(frame, files={"image": bytes(size)}, timeout=20)
        assert (reply.status_code, reply.json()["code"]) == (413, said_by)
        assert reply.headers["content-type"] == "application/problem+json"


def test_the_balancer_keeps_metrics_inside_and_request_ids_through(url: str) -> None:
    assert httpx.get(f"{url}/metrics").status_code == 404
    assert (
        httpx.get(f"{url}/livez", headers={"X-Request-ID": "from-outside-1"}).headers["x-request-id"]
        == "from-outside-1"
    )
    made = httpx.get(f"{url}/livez", headers={"X-Request-ID": "no good"}).headers["x-request-id"]
    assert len(made) == 32
