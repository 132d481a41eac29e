"""The token of a link belongs to the browser that used it first."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from tests.integration.api.conftest import SESSIONS, MadeKey, MakeKey

Start = Callable[..., FlaskClient]
HEADER = "Liveness-Browser"


@pytest.fixture
def key(make_key: MakeKey) -> MadeKey:
    return make_key()


@pytest.fixture
def client(key: MadeKey, start_app: Start) -> FlaskClient:
    return start_app()


@pytest.fixture
def link(client: FlaskClient, key: MadeKey) -> tuple[str, dict[str, str]]:
    made = client.post(f"{SESSIONS}?token=true", headers=key.headers).json
    return f"{SESSIONS}/{made['session_id']}", {"Authorization": f"Bearer {made['token']}"}


def browser() -> dict[str, str]:
    return {HEADER: secrets.token_urlsafe(24)}


@pytest.mark.parametrize("method", ["GET", "DELETE", "POST"])
def test_the_first_browser_keeps_the_token(
    client: FlaskClient, key: MadeKey, link: tuple[str, dict[str, str]], method: str
) -> None:
    address, token = link
    first = token | browser()
    assert client.get(address, headers=first).status_code == 200
    path = f"{address}/frame" if method == "POST" else address
    for other in (token, token | browser()):
        answer = client.open(path, method=method, headers=other)
        assert (answer.status_code, answer.json["code"]) == (403, "other_browser")
    assert client.get(address, headers=key.headers).status_code == 200, "a key is not bound"
    assert client.open(path, method=method, headers=first).status_code != 403


def test_a_client_that_knows_nothing_of_it_goes_on(client: FlaskClient, link: tuple[str, dict[str, str]]) -> None:
    address, token = link
    for _ in range(2):
        assert client.get(address, headers=token).status_code == 200
        assert client.post(f"{address}/frame", headers=token).json["code"] != "other_browser"
    assert client.get(address, headers=token | browser()).status_code == 200, "and may learn it"
    assert client.get(address, headers=token).json["code"] == "other_browser"


def test_a_frame_binds_as_well_though_the_session_is_remembered(
    client: FlaskClient, link: tuple[str, dict[str, str]], start_app: Start
) -> None:
    address, token = link
    other_process = start_app()
    client.post(f"{address}/frame", headers=token)
    other_process.post(f"{address}/frame", headers=token)
    first = token | browser()
    assert client.post(f"{address}/frame", headers=first).json["code"] != "other_browser"
    for process in (client, other_process):
        assert process.post(f"{address}/frame", headers=token | browser()).json["code"] == "other_browser"
    assert client.post(f"{address}/frame", headers=token).json["code"] == "other_browser"


def test_only_a_hash_is_kept(client: FlaskClient, link: tuple[str, dict[str, str]], engine: Engine) -> None:
    address, token = link
    mine = browser()
    client.get(address, headers=token | mine)
    with engine.connect() as connection:
        kept = connection.scalar(text("SELECT browser FROM sessions"))
    assert len(kept) == 64
    assert mine[HEADER] not in kept


@pytest.mark.parametrize("given", ["", "short", "x" * 129, "with a space and so on and on"])
def test_what_anybody_could_guess_binds_nothing(
    client: FlaskClient, link: tuple[str, dict[str, str]], given: str, engine: Engine
) -> None:
    address, token = link
    answer = client.get(address, headers=token | {HEADER: given})
    assert (answer.status_code, answer.json["code"]) == (403, "other_browser")
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT browser FROM sessions")) is None


def test_of_two_at_once_one_wins(client: FlaskClient, link: tuple[str, dict[str, str]]) -> None:
    address, token = link
    statuses: list[int] = []

    def open_link() -> None:
        headers = token | browser()
        statuses.append(client.application.test_client().get(address, headers=headers).status_code)

    threads = [threading.Thread(target=open_link) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 403, 403, 403, 403, 403]


def test_the_relying_party_is_named(start_app: Start, make_key: MakeKey) -> None:
    server, app = make_key("server"), make_key("client")
    client = start_app(relying_party="Example Bank")
    made = client.post(f"{SESSIONS}?token=true", headers=server.headers).json
    address, token = f"{SESSIONS}/{made['session_id']}", {"Authorization": f"Bearer {made['token']}"}
    assert client.get(address, headers=token).json["relying_party"] == "Example Bank"
    made = client.post(f"{SESSIONS}?token=true&relying_party=Example+Shop", headers=server.headers).json
    assert (
        client.get(f"{SESSIONS}/{made['session_id']}", headers=server.headers).json["relying_party"] == "Example Shop"
    )
    posing = client.post(f"{SESSIONS}?relying_party=Your+Bank", headers=app.headers)
    assert (posing.status_code, posing.json["code"]) == (403, "forbidden")
    for wrong in ("", "x" * 101, "two%0Alines"):
        assert client.post(f"{SESSIONS}?relying_party={wrong}", headers=server.headers).status_code == 422
    assert "Example Bank" in client.get("/").text
    assert "<script" not in start_app(relying_party="<script>alert(1)").get("/").text.partition("<main")[2]


def test_old_and_new_rows_are_read_alike(engine: Engine, client: FlaskClient, key: MadeKey) -> None:
    """A process of the version before writes neither column."""
    made = client.post(SESSIONS, headers=key.headers).json
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE sessions SET terms = NULL, browser = NULL")
    look = client.get(f"{SESSIONS}/{made['session_id']}", headers=key.headers).json
    assert look["asked"]["challenge_types"] is None
    assert look["asked"]["num_challenges"] == 3
