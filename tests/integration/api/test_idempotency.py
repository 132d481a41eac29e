"""A creation that is asked for again, because its answer was not heard."""

from __future__ import annotations

import importlib
import io
import threading
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import Engine, text

from tests.integration.api.conftest import SESSIONS, MakeKey
from tests.integration.api.test_server import jpeg
from tests.waiting import PATIENCE

Start = Callable[..., FlaskClient]
KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}


def count(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM sessions")))


def test_the_same_again_is_the_same_answer(client: FlaskClient, engine: Engine, redis: Redis) -> None:
    address = f"{SESSIONS}?num_challenges=5"
    first = client.post(address, headers=KEY)
    assert "Idempotency-Replayed" not in first.headers
    again = client.post(address, headers=KEY)
    assert (again.status_code, again.content_type, again.data) == (200, "application/json", first.data)
    assert again.headers["Idempotency-Replayed"] == "true"
    quoted = {"Idempotency-Key": f'"{KEY["Idempotency-Key"]}"'}
    assert client.post(address, headers=quoted).data == first.data, "as the draft writes it"
    assert count(engine) == 1
    (name,) = redis.keys("idempotency:*")
    assert 290_000 < redis.pttl(name) <= 300_000
    assert KEY["Idempotency-Key"].encode() not in name


def test_without_a_key_or_with_others_each_is_a_session(client: FlaskClient, engine: Engine) -> None:
    for headers in ({}, {}, KEY, {"Idempotency-Key": "another"}):
        assert client.post(SESSIONS, headers=headers).status_code == 200
    assert count(engine) == 4


def test_something_else_under_the_same_key_is_refused(start_app: Start, engine: Engine) -> None:
    client = start_app(identity=True)
    first = client.post(f"{SESSIONS}?num_challenges=2", headers=KEY, data={"reference": (io.BytesIO(jpeg()), "f")})
    assert first.status_code == 200
    other = jpeg().replace(b"\xff\xd9", b"\x00\xff\xd9")
    for query, picture in [("num_challenges=3", jpeg()), ("num_challenges=2", other), ("num_challenges=2", None)]:
        data = {} if picture is None else {"reference": (io.BytesIO(picture), "f")}
        answer = client.post(f"{SESSIONS}?{query}", headers=KEY, data=data)
        assert (answer.status_code, answer.json["code"]) == (422, "idempotency_key_reused")
    assert count(engine) == 1


def test_the_default_written_out_is_the_same(client: FlaskClient) -> None:
    first = client.post(SESSIONS, headers=KEY)
    assert client.post(f"{SESSIONS}?num_challenges=3", headers=KEY).data == first.data


def test_at_once_one_is_made_and_the_other_told_to_wait(
    client: FlaskClient, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, go = threading.Event(), threading.Event()
    sessions = importlib.import_module("api.sessions")  # api's own `sessions` is the blueprint
    create = sessions._create

    def slow(*facts: object) -> object:
        entered.set()
        assert go.wait(PATIENCE)
        return create(*facts)

    monkeypatch.setattr(sessions, "_create", slow)
    answers: list[bytes] = []
    asking = threading.Thread(target=lambda: answers.append(client.post(SESSIONS, headers=KEY).data))
    asking.start()
    assert entered.wait(PATIENCE)
    meanwhile = client.application.test_client().post(SESSIONS, headers=KEY)
    go.set()
    asking.join()
    assert (meanwhile.status_code, meanwhile.json["code"]) == (409, "idempotency_key_in_use")
    assert meanwhile.headers["Retry-After"] == "1"
    assert client.post(SESSIONS, headers=KEY).data == answers[0]
    assert count(engine) == 1


def test_what_failed_may_be_tried_again(client: FlaskClient, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE challenges RENAME TO gone")
    assert client.post(SESSIONS, headers=KEY).status_code == 503
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE gone RENAME TO challenges")
    assert client.post(SESSIONS, headers=KEY).status_code == 200


def test_one_api_keys_words_are_not_anothers(start_app: Start, make_key: MakeKey) -> None:
    one, two = make_key(), make_key()
    client = start_app()
    first, second = (client.post(SESSIONS, headers=KEY | key.headers).json["session_id"] for key in (one, two))
    assert first != second


@pytest.mark.parametrize("key", ["x" * 256, 'a"b', "two words", "\u00e4", '""'])
def test_a_key_that_is_none_is_told(client: FlaskClient, key: str) -> None:
    answer = client.post(SESSIONS, headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_parameter")
    assert answer.json["errors"][0]["parameter"] == "Idempotency-Key"


def test_without_redis_nothing_is_promised(start_app: Start, engine: Engine) -> None:
    client = start_app(redis_url="redis://127.0.0.1:1/0")
    answer = client.post(SESSIONS, headers=KEY)
    assert (answer.status_code, answer.json["code"]) == (503, "redis_unavailable")
    assert client.post(SESSIONS).status_code == 200
    assert count(engine) == 1


@pytest.mark.parametrize("mode", ["open", "client"])
def test_another_callers_session_and_token_are_not_replayed(start_app: Start, make_key: MakeKey, mode: str) -> None:
    """Two users of one app, or of an open service, may come by the same word."""
    headers = {"Idempotency-Key": "order-1001"} | (make_key("client").headers if mode == "client" else {})
    client = start_app()
    asked = f"{SESSIONS}?token=true"
    first = client.post(asked, headers=headers, environ_base={"REMOTE_ADDR": "192.0.2.1"})
    second = client.post(asked, headers=headers, environ_base={"REMOTE_ADDR": "192.0.2.2"})
    assert second.json["session_id"] != first.json["session_id"]
    assert "Idempotency-Replayed" not in second.headers
    again = client.post(asked, headers=headers, environ_base={"REMOTE_ADDR": "192.0.2.1"})
    assert again.json["session_id"] == first.json["session_id"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "token" in first.json
    assert "token" not in again.json, "who shares the address may not be the same caller"


def test_no_token_of_theirs_is_kept(client: FlaskClient, redis: Redis) -> None:
    token = client.post(f"{SESSIONS}?token=true", headers=KEY).json["token"]
    (name,) = redis.keys("idempotency:*")
    assert token.encode() not in redis.get(name)


def test_a_server_is_told_the_token_again_from_any_address(start_app: Start, make_key: MakeKey) -> None:
    headers, client = KEY | make_key().headers, start_app()
    first, again = (
        client.post(f"{SESSIONS}?token=true", headers=headers, environ_base={"REMOTE_ADDR": f"192.0.2.{host}"})
        for host in (1, 2)
    )
    assert again.data == first.data
    assert "token" in again.json
