"""What is logged of a frame, from the request through the queue to the worker: one id, and nothing that must stay secret."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
import structlog
from dramatiq import Worker
from flask.testing import FlaskClient

from shared.liveness.observation import Observation
from shared.settings import Settings
from shared.telemetry.logs import configure_logging
from tests.integration.api.conftest import SESSIONS, Eyes
from tests.integration.api.test_frames import jpeg, new_session

REQUEST = "proxy-made-id_0042"
PASSWORD = "hunter2hunter2"
KEY = "lk_0123456789abcdefghijklmnop"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhMWIyIn0.c2lnbmF0dXJlLXNpZ25hdHVyZQ"


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """All that this process logs, at the most talkative, as machines read it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging(Settings(_env_file=None, log_level="DEBUG", log_format="json"))
    written = io.StringIO()
    cast("logging.StreamHandler[Any]", root.handlers[0]).setStream(written)

    def read() -> list[dict[str, Any]]:
        lines = written.getvalue().splitlines()
        written.seek(0)
        written.truncate()
        return [json.loads(line) for line in lines]

    yield read
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def post(client: FlaskClient, session_id: str, picture: bytes, **headers: str) -> Any:
    head = b'--x\r\nContent-Disposition: form-data; name="image"; filename="frame.jpg"\r\n\r\n'
    return client.post(
        f"{SESSIONS}/{session_id}/frame",
        data=head + picture + b"\r\n--x--\r\n",
        content_type="multipart/form-data; boundary=x",
        headers={"X-Request-ID": REQUEST, **headers},
    )


def test_one_id_from_the_request_through_the_queue_to_the_workers_lines(
    client: FlaskClient, worker: Worker, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    session_id = new_session(client)
    lines()
    answer = post(client, session_id, jpeg())
    assert answer.status_code == 200
    assert answer.headers["X-Request-ID"] == REQUEST
    worker.stop()  # all that it had to say of the message is said
    of_request = {line["event"]: line for line in lines() if line.get("request_id") == REQUEST}
    assert of_request["frame.judged"]["logger"] == "workers.frames"
    assert of_request["request"]["rule"] == f"{SESSIONS}/<session_id>/frame"
    assert of_request["request"]["session_id"] == of_request["frame.judged"]["session_id"] == session_id


def test_the_workers_next_message_has_an_id_of_its_own(
    client: FlaskClient, worker: Worker, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    session_id = new_session(client)
    ids = [post(client, session_id, jpeg(), **{"X-Request-ID": f"request-{n}"}).headers["X-Request-ID"] for n in (1, 2)]
    worker.stop()
    judged = [line["request_id"] for line in lines() if line["event"] == "frame.judged"]
    assert judged == ids == ["request-1", "request-2"]


@pytest.mark.parametrize("given", ["", "short", "has spaces in it", "x" * 129, "new\tline-new-line"])
def test_an_id_that_is_not_fit_is_replaced(client: FlaskClient, given: str) -> None:
    made = client.get("/livez", headers={"X-Request-ID": given}).headers["X-Request-ID"]
    assert made != given
    assert len(made) == 36


def test_no_picture_key_token_or_password_is_in_any_line(
    client: FlaskClient, worker: Worker, eyes: Eyes, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    picture = jpeg(77)

    def fail(data: bytes) -> Observation:
        # The worst that a library can do: it quotes what it was given, and the address that it was given it from.
        raise RuntimeError(f"cannot decode {data!r} from redis://:{PASSWORD}@localhost/0", data)

    session_id = new_session(client)
    eyes.see = fail
    secrets = {"Authorization": f"Bearer {TOKEN}", "X-API-Key": KEY, "Cookie": f"session={TOKEN}"}
    assert post(client, session_id, picture, **secrets).status_code == 503
    assert post(client, session_id, picture[:-20], **secrets).status_code == 422
    assert post(client, TOKEN, picture, **secrets).status_code == 404  # in the wrong place
    client.get(f"/{KEY}?token={TOKEN}", headers=secrets)
    worker.stop()
    said = lines()
    assert "frame.not_judged" in [line["event"] for line in said]
    whole = json.dumps(said)
    for secret in (PASSWORD, KEY, TOKEN, TOKEN.split(".")[1], "JFIF", "\\xff"):
        assert secret not in whole
