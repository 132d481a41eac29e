"""Every error is a problem, and says what to do."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from flask_openapi import OpenAPI
from sqlalchemy.exc import IntegrityError, OperationalError
from structlog.testing import capture_logs
from werkzeug.exceptions import Conflict

from api.frames import _as_error
from api.problems import KINDS, ProblemError
from shared.handoff.answers import decode

FIELDS = {"type", "title", "status", "code", "detail", "request_id"}


def raise_at(app: OpenAPI, error: Exception) -> Any:
    """What the app answers where a handler raises this."""

    @app.post("/raise")
    def _raise() -> None:
        raise error

    return app.test_client().post("/raise")


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.code)
def test_each_kind_is_whole(kind: Any) -> None:
    assert re.fullmatch(r"[a-z_]+", kind.code)
    assert 400 <= kind.status < 600
    assert not kind.title.endswith(".")
    assert kind.detail.endswith("."), "a sentence"
    if kind.status != 409:  # some conflicts pass by themselves, others do not
        assert (kind.retry_after is not None) == (kind.status in (429, 503))


@pytest.mark.parametrize("code", KINDS)
def test_a_problem_as_it_is_answered(lone_app: OpenAPI, code: str) -> None:
    answer = raise_at(lone_app, ProblemError(code))
    kind = KINDS[code]
    assert answer.status_code == kind.status
    assert answer.content_type == "application/problem+json"
    assert set(answer.json) == FIELDS
    assert answer.json["type"] == f"/docs#problem-{code}"
    assert answer.json["status"] == kind.status
    assert answer.json["request_id"] == answer.headers["X-Request-ID"]
    assert answer.headers.get("Retry-After") == (None if kind.retry_after is None else str(kind.retry_after))


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"code": "not_an_image", "detail": "Send a JPEG."}, (422, "not_an_image", "Send a JPEG.")),
        ({"code": "too_many_pixels", "detail": ""}, (413, "too_many_pixels", KINDS["too_many_pixels"].detail)),
        # From a worker of the version before, which names the status itself.
        ({"status": 404, "code": "session_not_found", "detail": "Gone."}, (404, "session_not_found", "Gone.")),
        # From a worker of the version after, with a code that this one does not document.
        ({"code": "too_shiny", "detail": "Take off the mirror."}, (503, "unavailable", "Take off the mirror.")),
    ],
)
def test_a_workers_problem_has_the_status_of_the_table(
    lone_app: OpenAPI, told: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    problem = decode(json.dumps({"problem": told}).encode()).problem
    assert problem is not None
    answer = raise_at(lone_app, _as_error(problem))
    assert (answer.status_code, answer.json["code"], answer.json["detail"]) == expected


def test_an_unknown_exception_is_logged_and_tells_nothing(lone_app: OpenAPI) -> None:
    with capture_logs() as lines:
        answer = raise_at(lone_app, ValueError("secret"))
    assert answer.status_code == 500
    assert answer.json["code"] == "internal_error"
    assert "secret" not in answer.text
    logged = next(line for line in lines if line["event"] == "internal_error")
    assert isinstance(logged["exc_info"], ValueError)


def test_a_fault_in_a_statement_is_ours_and_a_lost_database_is_not(lone_app: OpenAPI) -> None:
    assert raise_at(lone_app, IntegrityError("INSERT", {}, Exception())).json["code"] == "internal_error"


def test_a_lost_database_says_so(lone_app: OpenAPI) -> None:
    assert raise_at(lone_app, OperationalError("SELECT", {}, Exception())).json["code"] == "database_unavailable"


def test_other_http_errors_are_problems_too(lone_app: OpenAPI) -> None:
    assert raise_at(lone_app, Conflict()).json["code"] == "bad_request"


def test_an_unknown_address(lone_app: OpenAPI) -> None:
    answer = lone_app.test_client().get("/api/v1/liveness/sesions")
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")
    assert answer.json["code"] == "not_found"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/api/v1/liveness/sessions", {"POST", "OPTIONS"}),
        ("PUT", "/api/v1/liveness/sessions/x", {"GET", "HEAD", "DELETE", "OPTIONS"}),
        ("GET", "/api/v1/liveness/sessions/x/frame", {"POST", "OPTIONS"}),
        ("DELETE", "/livez", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_a_wrong_method(lone_app: OpenAPI, method: str, path: str, allowed: set[str]) -> None:
    answer = lone_app.test_client().open(path, method=method)
    assert (answer.status_code, answer.content_type) == (405, "application/problem+json")
    assert answer.json["code"] == "method_not_allowed"
    assert set(answer.headers["Allow"].split(", ")) == allowed


@pytest.mark.parametrize(
    "session_id",
    [
        "x",
        "1",
        "a1b2c3d4e5f67890abcdef1234567890",
        "{a1b2c3d4-e5f6-7890-abcd-ef1234567890}",
        "%00",
        "../..",
        "\u00e4" * 36,
    ],
)
@pytest.mark.parametrize(("method", "rest"), [("GET", ""), ("DELETE", ""), ("POST", "/frame")])
def test_a_malformed_id_is_unknown_before_anything_is_asked(
    lone_app: OpenAPI, method: str, rest: str, session_id: str
) -> None:
    answer = lone_app.test_client().open(f"/api/v1/liveness/sessions/{session_id}{rest}", method=method)
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize(
    ("query", "faulty"),
    [
        ("num_challenges=0", ["num_challenges"]),
        ("num_challenges=11", ["num_challenges"]),
        ("num_challenges=-1", ["num_challenges"]),
        ("num_challenges=2.5", ["num_challenges"]),
        ("num_challenges=three", ["num_challenges"]),
        ("num_challenges=", ["num_challenges"]),
        ("num_challenges=99999999999999999999999999", ["num_challenges"]),
        ("timeout_seconds=0.99", ["timeout_seconds"]),
        ("timeout_seconds=60.01", ["timeout_seconds"]),
        ("timeout_seconds=nan", ["timeout_seconds"]),
        ("timeout_seconds=inf", ["timeout_seconds"]),
        ("timeout_seconds=-Infinity", ["timeout_seconds"]),
        ("timeout_seconds=soon", ["timeout_seconds"]),
        ("mirrored=perhaps", ["mirrored"]),
        ("challenge_types=WINK", ["challenge_types"]),
        ("challenge_types=smiley", ["challenge_types"]),
        ("challenge_types=", ["challenge_types"]),
        ("challenge_types=SMILE,", ["challenge_types"]),
        ("challenge_types=SMILE;BLINK", ["challenge_types"]),
        ("challenge_types=SMILE&challenge_types=WINK", ["challenge_types"]),
        ("exclude=NOTHING", ["exclude"]),
        ("exclude=", ["exclude"]),
        ("challenge_types=WINK&exclude=SMILE", ["challenge_types"]),
        ("challenge_types=WINK&exclude=WINK", ["challenge_types", "exclude"]),
        ("reveal=none", ["reveal"]),
        ("reveal=", ["reveal"]),
        ("preset=hard", ["preset"]),
        ("preset=", ["preset"]),
        ("num_challenges=0&timeout_seconds=0", ["num_challenges", "timeout_seconds"]),
    ],
)
def test_parameters_out_of_range_say_the_range(lone_app: OpenAPI, query: str, faulty: list[str]) -> None:
    answer = lone_app.test_client().post(f"/api/v1/liveness/sessions?{query}")
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_parameter")
    assert [fault["parameter"] for fault in answer.json["errors"]] == faulty
    every = "one or more of TURN_LEFT, TURN_RIGHT, LOOK_UP, LOOK_DOWN, BLINK, SMILE, OPEN_MOUTH, separated by commas"
    ranges = {
        "num_challenges": "from 1 to 10",
        "timeout_seconds": "from 1 to 60",
        "mirrored": "true or false",
        "challenge_types": every,
        "exclude": every,
        "reveal": "all or next",
        "preset": "one of lenient, standard, strict",
    }
    assert all(f"{name} must be" in answer.json["detail"] for name in faulty)
    assert all(ranges[name] in answer.json["detail"] for name in faulty)


@pytest.mark.parametrize(
    "query",
    [
        "exclude=TURN_LEFT,TURN_RIGHT,LOOK_UP,LOOK_DOWN,BLINK,SMILE,OPEN_MOUTH",
        "challenge_types=SMILE&exclude=SMILE",
        "challenge_types=SMILE,BLINK&exclude=BLINK&exclude=SMILE,TURN_LEFT",
    ],
)
def test_excluding_everything_is_said_to_be_that(lone_app: OpenAPI, query: str) -> None:
    answer = lone_app.test_client().post(f"/api/v1/liveness/sessions?{query}")
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_parameter")
    assert answer.json["detail"] == "exclude must leave at least one challenge to draw: it excludes all there are."
    assert [fault["parameter"] for fault in answer.json["errors"]] == ["exclude"]


def test_what_is_away_is_named(lone_app: OpenAPI) -> None:
    client = lone_app.test_client()
    answer = client.post("/api/v1/liveness/sessions")
    assert (answer.status_code, answer.json["code"]) == (503, "database_unavailable")
    assert answer.headers["Retry-After"]
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json["status"] == "not_ready"
    assert {name: said == "ok" for name, said in ready.json["checks"].items()} == dict.fromkeys(
        ("redis", "database", "queue", "workers", "identity"), False
    )
    assert client.get("/livez").json == {"status": "ok"}


def test_request_ids_are_given_back_or_made(lone_app: OpenAPI) -> None:
    client = lone_app.test_client()
    assert client.get("/livez", headers={"X-Request-ID": "abc-123.DEF"}).headers["X-Request-ID"] == "abc-123.DEF"
    for unfit in ("short", "with space in it", "x" * 200, "new\u00e4line-long"):
        given = client.get("/livez", headers={"X-Request-ID": unfit}).headers["X-Request-ID"]
        assert re.fullmatch(r"[0-9a-f-]{36}", given)


def test_answers_are_not_stored_by_anyone(lone_app: OpenAPI) -> None:
    headers = lone_app.test_client().get("/livez").headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_body_where_none_is_wanted_does_no_harm(lone_app: OpenAPI) -> None:
    answer = lone_app.test_client().post(
        "/api/v1/liveness/sessions?num_challenges=0", data={"image": (io.BytesIO(b"x"), "f")}
    )
    assert answer.json["code"] == "invalid_parameter"
