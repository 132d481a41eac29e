"""What is said at the door is what the app says, and only to what nearly every client sends."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

import pytest
from flask_openapi import OpenAPI

from api import create_app
from api.serving.door import Door
from shared.settings import Settings
from shared.telemetry.metrics.table import REGISTRY

PATH = "/api/v1/liveness/sessions/00000000-0000-4000-8000-000000000000/frame"
#: Of the connection, not of the answer; and of each its own.
APART = {"Connection", "X-Request-ID", "Content-Length"}

Make = Callable[..., OpenAPI]


@pytest.fixture
def overloaded(lone_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Make an app whose workers are behind, for ever."""
    monkeypatch.setattr("api.gate.Gate.is_shut", True)
    apps: list[OpenAPI] = []

    def make(**changes: object) -> OpenAPI:
        apps.append(create_app(lone_settings.model_copy(update=changes)))
        return apps[-1]

    yield make
    for app in apps:
        app.extensions["resources"].close()


def door(app: OpenAPI) -> Door:
    found = app.extensions["door"]
    assert isinstance(found, Door)
    return found


def head(*lines: str, path: str = PATH, method: str = "POST", version: str = "1.1") -> bytes:
    return "\r\n".join((f"{method} {path} HTTP/{version}", "Host: x", "Content-Length: 9", *lines, "", "")).encode()


def told(answer: bytes) -> tuple[str, dict[str, str], dict[str, object]]:
    """Its status line, its fields, its problem."""
    start, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = start.decode().split("\r\n")
    fields = dict(line.split(": ", 1) for line in lines)
    assert int(fields["Content-Length"]) == len(body)
    return status, fields, json.loads(body)


def test_a_frame_is_told_what_the_app_would_tell_it(overloaded: Make) -> None:
    app = overloaded()
    refusal = door(app).refusal(head())
    assert refusal is not None
    answer, follows = refusal
    status, fields, problem = told(answer)
    by_the_app = app.test_client().post(PATH, headers={"X-Request-ID": str(problem["request_id"])})
    assert by_the_app.json == problem
    assert (status, by_the_app.status_code) == ("HTTP/1.1 503 Service Unavailable", 503)
    assert {n: v for n, v in fields.items() if n not in APART} == {
        n: v for n, v in by_the_app.headers.items() if n not in APART
    }
    assert fields["Retry-After"] == "1"
    assert fields["X-Request-ID"] == problem["request_id"]
    assert (follows, fields["Connection"]) == (True, "keep-alive")


def test_a_frame_with_nonces_is_refused_as_well(overloaded: Make) -> None:
    for query in (
        "?nonces=0123456789abcdef,fedcba9876543210",
        "?nonces=0123456789abcdef%2Cfedcba9876543210",
        "?nonces=",
    ):
        refusal = door(overloaded()).refusal(head(path=PATH + query))
        assert refusal is not None
        assert told(refusal[0])[0] == "HTTP/1.1 503 Service Unavailable"


def test_while_only_some_are_sent_away_others_are_not_refused(lone_app: OpenAPI) -> None:
    gate = lone_app.extensions["resources"].gate
    gate.send_away(PATH.split("/")[-2])
    assert door(lone_app).refusal(head(path=PATH.replace("0000-4000", "0000-4001"))) is None
    gate.send_away("abcdef00-0000-4000-8000-000000000000")
    assert door(lone_app).refusal(head(path=PATH.replace("00000000-0000", "ABCDEF00-0000"))) is not None


def test_while_the_gate_is_open_nothing_is_refused(lone_app: OpenAPI) -> None:
    assert door(lone_app).refusal(head()) is None


@pytest.mark.parametrize(
    "other",
    [
        head(method="GET"),
        head(path=PATH.removesuffix("/frame")),
        head(path=PATH + "?a=b"),
        head(path="/api/v1/liveness/sessions/unknown/frame"),
        head(path="http://x" + PATH),
        head("Transfer-Encoding: chunked"),
        head("Expect: 100-continue"),
        head("Connection: upgrade", "Upgrade: h2c"),
        head("Connection: keep-alive", "Connection: close"),
        head("A-Field :with a blank"),
        head("A-Field: folded", " over two lines"),
        head("A-Field: with a \0"),
        b"\r\n" + head(),
        b"",
    ],
)
def test_what_is_not_as_plain_as_that_is_left_to_the_app(overloaded: Make, other: bytes) -> None:
    assert door(overloaded()).refusal(other) is None


def test_a_page_of_another_site_is_answered_by_the_app_where_it_may_read_the_answer(overloaded: Make) -> None:
    foreign = head("Origin: https://shop.example")
    assert door(overloaded()).refusal(foreign) is not None
    allowed = door(overloaded(cors_origins="https://shop.example"))
    assert allowed.refusal(foreign) is None
    assert allowed.refusal(head()) is not None


@pytest.mark.parametrize(
    ("lines", "version", "follows"),
    [
        (["Connection: Keep-Alive"], "1.1", True),
        (["connection:close"], "1.1", False),
        ([], "1.0", False),
        (["Connection: keep-alive"], "1.0", False),
    ],
)
def test_a_connection_is_kept_as_its_client_wants_it(
    overloaded: Make, lines: list[str], version: str, follows: bool
) -> None:
    refusal = door(overloaded()).refusal(head(*lines, version=version))
    assert refusal is not None
    assert refusal[1] is follows
    assert told(refusal[0])[1]["Connection"] == ("keep-alive" if follows else "close")


@pytest.mark.parametrize(("given", "kept"), [("a-client.s_own-id", True), ("short", False), ("wrong id, too", False)])
def test_a_request_keeps_an_id_that_is_fit(overloaded: Make, given: str, kept: bool) -> None:
    refusal = door(overloaded()).refusal(head(f"x-request-id:  {given} "))
    assert refusal is not None
    _, fields, problem = told(refusal[0])
    assert fields["X-Request-ID"] == problem["request_id"]
    assert (problem["request_id"] == given) is kept


def test_it_is_counted_as_the_app_counts(overloaded: Make) -> None:
    rule = "/api/v1/liveness/sessions/<session_id>/frame"

    def counts() -> list[float]:
        labels = {"rule": rule, "method": "POST", "status": "503"}
        return [
            REGISTRY.get_sample_value("liveness_requests_total", labels) or 0,
            REGISTRY.get_sample_value("liveness_request_seconds_count", {"rule": rule}) or 0,
            REGISTRY.get_sample_value("liveness_problems_total", {"code": "overloaded"}) or 0,
        ]

    before = counts()
    door(overloaded()).refusal(head())
    assert counts() == before, "nobody asks for it"
    door(overloaded(metrics_token="a token for a test")).refusal(head())
    assert counts() == [count + 1 for count in before]


@pytest.mark.parametrize("field", ["Connection", "X-Request-ID", "A-Field", ""])
def test_a_long_head_does_not_hold_the_loop(overloaded: Make, field: str) -> None:
    """Looked at a blank at a time from each blank on, this would take hours."""
    at_the_door, long = door(overloaded()), head(f"{field}: a{' ' * 800_000}b")
    began = time.process_time()
    at_the_door.refusal(long)
    assert time.process_time() - began < 5
