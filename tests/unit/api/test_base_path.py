"""The path below which a proxy serves the service: BASE_PATH, or a trusted proxy's word."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask.testing import FlaskClient
from flask_openapi import OpenAPI

from api import create_app
from api.base_path import forwarded
from api.serving.door import Door
from shared.settings import Settings

SESSIONS = "/api/v1/liveness/sessions"
Start = Callable[..., FlaskClient]


@pytest.fixture
def start(lone_settings: Settings) -> Iterator[Start]:
    apps: list[OpenAPI] = []

    def new(**changes: object) -> FlaskClient:
        apps.append(create_app(lone_settings.model_copy(update=changes)))
        return apps[-1].test_client()

    yield new
    for app in apps:
        app.extensions["resources"].close()


def kind(client: FlaskClient, path: str, **headers: str) -> tuple[int, str]:
    """The status and the type of the problem that a call at this path is answered with."""
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = client.post(f"{path}?num_challenges=0", headers=said)
    return answer.status_code, answer.json["type"].partition("#")[0]


@pytest.mark.parametrize("path", ["/liveness", "/a/b.c", "/api", "/api/v1", "/web", "/x~y_z-1"])
def test_it_may_be_left_or_taken_off(start: Start, path: str) -> None:
    client = start(base_path=path)
    assert kind(client, f"{path}{SESSIONS}") == (422, f"{path}/docs")
    assert kind(client, SESSIONS) == (422, f"{path}/docs")
    for page in (f"{path}/", "/", f"{path}/docs", "/docs", f"{path}/web/page.js", "/livez"):
        with client.get(page) as answer:
            assert answer.status_code == 200, page
    assert client.get(f"{path}x/docs").status_code == 404


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("/liveness", "/liveness"),
        ("/liveness/", "/liveness"),
        ("/a/b, /a/b", "/a/b"),
        ("/a, /b", ""),
        ("/", ""),
        ("", ""),
        ("liveness", ""),
        ("//evil.example", ""),
        ("/a//b", ""),
        ("/a/../b", ""),
        ("/..", ""),
        ("/.well-known", "/.well-known"),
        ("https://evil.example", ""),
        ("/a?b", ""),
        ("/a#b", ""),
        ("/a%2fb", ""),
        ('/"><script>', ""),
        ("/\u00e4", ""),
        ("/a\n", ""),
        ("/" + 300 * "a", ""),
    ],
)
def test_a_proxys_word_is_a_path_or_nothing(start: Start, said: str, read: str) -> None:
    assert forwarded(said.strip(" ")) == ("/a" if said == "/a\n" else read)
    if said.isascii() and "\n" not in said:
        assert kind(start(trusted_proxies=1), SESSIONS, X_Forwarded_Prefix=said) == (422, f"{read}/docs")


def test_a_word_without_trust_and_one_against_the_setting_are_not_taken(start: Start) -> None:
    assert kind(start(), SESSIONS, X_Forwarded_Prefix="/x") == (422, "/docs")
    assert kind(start(base_path="/own", trusted_proxies=1), SESSIONS, X_Forwarded_Prefix="/x") == (422, "/own/docs")


def test_a_word_moves_no_path(start: Start) -> None:
    """Else a client would reach /metrics as /x/metrics, past the rules of a proxy that passes its header on."""
    client = start(trusted_proxies=1)
    said = {"X-Forwarded-Prefix": "/x"}
    assert client.get("/livez", headers=said).status_code == 200
    assert client.get("/x/livez", headers=said).status_code == 404


def test_a_servers_own_script_name_is_kept(start: Start) -> None:
    for client in (start(), start(base_path="/own", trusted_proxies=1)):
        answer = client.post(f"{SESSIONS}?num_challenges=0", environ_overrides={"SCRIPT_NAME": "/server"})
        assert answer.json["type"].startswith("/server/docs#")


@pytest.mark.parametrize(
    ("given", "kept"), [("/liveness", "/liveness"), ("/liveness/", "/liveness"), ("/", ""), ("", ""), ("/a/b", "/a/b")]
)
def test_the_setting_is_read(monkeypatch: pytest.MonkeyPatch, given: str, kept: str) -> None:
    assert Settings(_env_file=None, base_path=given).base_path == kept
    monkeypatch.setenv("SCRIPT_NAME", given)
    assert Settings(_env_file=None).base_path == kept
    monkeypatch.setenv("BASE_PATH", "/other")
    assert Settings(_env_file=None).base_path == "/other"


@pytest.mark.parametrize(
    "wrong", ["liveness", "//x", "/a b", "/a/../b", "https://x/y", "/a?b", "/docs", "/livez/", "/a//b"]
)
def test_what_is_no_path_is_refused_at_the_start(wrong: str) -> None:
    with pytest.raises(ValueError, match="must "):
        Settings(_env_file=None, base_path=wrong)


def test_the_door_knows_it(lone_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.gate.Gate.is_shut", True)
    frame = f"{SESSIONS}/00000000-0000-4000-8000-000000000000/frame"

    def refusal(path: str, *lines: str, **changes: object) -> bytes:
        app = create_app(lone_settings.model_copy(update=changes))
        try:
            head = "\r\n".join((f"POST {path} HTTP/1.1", "Host: x", *lines, "", "")).encode()
            answer = Door(app).refusal(head)
        finally:
            app.extensions["resources"].close()
        return b"" if answer is None else answer[0]

    for path in (frame, f"/below{frame}", f"/below{frame}s"):
        assert b'"type":"/below/docs#problem-overloaded"' in refusal(path, base_path="/below")
    assert refusal(f"/below{frame}") == b"", "the app says that there is no such address"
    assert b'"type":"/docs#' in refusal(f"{frame}s", "X-Forwarded-Prefix: /below")
    assert refusal(frame, "X-Forwarded-Prefix: /below", trusted_proxies=1) == b"", "the app reads it"
