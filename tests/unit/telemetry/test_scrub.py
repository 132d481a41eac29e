"""Whatever somebody puts into a line: what must not be in it is not."""

from __future__ import annotations

import base64
import logging
import random
from collections.abc import Iterator

import jwt
import numpy as np
import pytest
import structlog

from shared.settings import Settings
from shared.telemetry.logs import configure_logging
from shared.telemetry.scrub import scrub

chance = random.Random(7)
PICTURE = b"\xff\xd8\xff\xe0\x00\x10JFIF" + chance.randbytes(3000)
DESCRIPTOR = np.array([chance.uniform(-0.4, 0.4) for _ in range(128)])
TOKEN = jwt.encode({"sub": "a1b2c3d4"}, "k" * 32, algorithm="HS256")

#: By what it is: something that no line may hold, and a piece of it that would give it away.
FORBIDDEN: dict[str, tuple[object, str]] = {
    "picture": (PICTURE, "JFIF"),
    "picture in a list": ([PICTURE], "JFIF"),
    "picture as Python writes bytes": (repr(PICTURE), "JFIF"),
    "picture in base64": (base64.b64encode(PICTURE).decode(), base64.b64encode(PICTURE).decode()[40:80]),
    "descriptor": (DESCRIPTOR, f"{DESCRIPTOR[0]:.4f}"),
    "descriptor as a list": (DESCRIPTOR.tolist(), f"{DESCRIPTOR[0]:.4f}"),
    "descriptor as text": (str(DESCRIPTOR.tolist()), f"{DESCRIPTOR[0]:.4f}"),
    "token": (TOKEN, TOKEN.split(".")[1]),
    "token in a header": (f"Authorization: Bearer {TOKEN}", TOKEN.split(".")[1]),
    "opaque key in a header": ("Authorization: Bearer lk_live_0123456789abcdef", "0123456789abcdef"),
    "password in an address": ("cannot reach rediss://:hunter2hunter2@redis.example:6379/0", "hunter2"),
    "user and password in an address": ("amqp://liveness:hunter2hunter2@mq.example//", "hunter2"),
    "webhook secret": ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    "private key": ("-----BEGIN PRIVATE KEY-----\nMIGHAgEA\n-----END PRIVATE KEY-----\n", "MIGHAgEA"),
}


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


@pytest.mark.parametrize("log_format", ["console", "json"])
@pytest.mark.parametrize("kind", FORBIDDEN)
def test_no_line_holds_it_however_it_is_written(capsys, kind, log_format):
    configure_logging(Settings(log_format=log_format))
    value, piece = FORBIDDEN[kind]
    structlog.get_logger("ours").info("event", thing=value, deeper={"thing": [value]})
    logging.getLogger("theirs").warning("it was %s", value)
    try:
        raise RuntimeError("it was", value)
    except RuntimeError:
        structlog.get_logger("ours").exception("failed")
    said = capsys.readouterr().err
    assert said.count("event") >= 1
    assert piece not in said


@pytest.mark.parametrize("name", ["authorization", "api_key", "session_token", "jws", "webhook_secret", "descriptor"])
def test_what_is_named_a_secret_is_one_whatever_it_looks_like(name):
    assert scrub(None, "info", {name: "short"}) == {name: "[hidden]"}


def test_what_a_line_is_for_stays():
    line = {
        "event": "request",
        "request_id": "0d1c1b0e-31cf-4b8d-9a0e-5a4a4c1b2f10",
        "session_id": "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
        "rule": "/api/v1/liveness/sessions/<session_id>/frame",
        "milliseconds": 12.5,
        "passed": True,
        "has_token": True,
        "stages": [1.5, 2.5, 0.1],
        "address": "redis://localhost:6379/0",
        "error": "Error 111 connecting to localhost:6379. Connection refused.",
    }
    assert scrub(None, "info", dict(line)) == line


def test_a_long_text_is_cut():
    assert len(scrub(None, "info", {"text": "word " * 5000})["text"]) < 8100
