"""API keys: who is asked for one, and who may do what with which."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, update
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from api import access, keyring
from shared import api_keys
from shared.api_keys import Role
from shared.db import UnitOfWork
from shared.db.keys import KeyRepository
from shared.db.tables import api_keys as table
from shared.liveness.session import Session, State
from tests.integration.api.conftest import SESSIONS, MakeKey, session_like

Start = Callable[..., FlaskClient]
Keep = Callable[[Session], Session]

#: Each call, by what it does.
CALLS = {
    "look": ("GET", ""),
    "frame": ("POST", "/frame"),
    "cancel": ("DELETE", ""),
    "evidence": ("GET", "/evidence"),
    "portrait": ("GET", "/portrait"),
}


def call(client: FlaskClient, name: str, session_id: str, headers: dict[str, str]) -> Any:
    method, rest = CALLS[name]
    return client.open(f"{SESSIONS}/{session_id}{rest}", method=method, headers=headers)


@pytest.mark.parametrize(
    "sent", ["Bearer anything at all", f"Bearer lk_{'0' * 12}_{'x' * 43}", "Basic dXNlcjpwYXNz", "Bearer", "\x00", ""]
)
def test_without_any_key_made_a_header_is_no_error(client: FlaskClient, sent: str) -> None:
    headers = {"Authorization": sent}
    created = client.post(SESSIONS, headers=headers)
    assert created.status_code == 200
    address = f"{SESSIONS}/{created.json['session_id']}"
    assert client.get(f"{address}/evidence", headers=headers).status_code == 200
    assert client.delete(address, headers=headers).status_code == 200


def test_from_the_first_key_on_everyone_is_asked(start_app: Start, make_key: MakeKey) -> None:
    key = make_key()
    client = start_app()
    refused = client.post(SESSIONS)
    assert (refused.status_code, refused.json["code"]) == (401, "key_missing")
    assert refused.headers["WWW-Authenticate"] == "Bearer"
    assert client.post(SESSIONS, headers=key.headers).status_code == 200
    assert client.post(SESSIONS, headers={"authorization": key.headers["Authorization"].replace("B", "b", 1)}).json[
        "session_id"
    ]


@pytest.mark.parametrize("name", CALLS)
def test_no_call_is_answered_without_a_key(start_app: Start, keep: Keep, make_key: MakeKey, name: str) -> None:
    session = keep(session_like())
    make_key()
    answer = call(start_app(), name, session.id, {})
    assert (answer.status_code, answer.json["code"]) == (401, "key_missing")


def test_a_wrong_key_is_refused_however_near_it_is(start_app: Start, make_key: MakeKey) -> None:
    right = make_key().headers["Authorization"]
    client = start_app()
    end = "A" if right[-1] != "A" else "B"
    for wrong in (right[:-1] + end, right[:-1], right + "A", right.replace("lk_", "xx_"), "Bearer x", right.upper()):
        answer = client.post(SESSIONS, headers={"Authorization": wrong})
        assert (answer.status_code, answer.json["code"]) == (401, "key_unknown")
        assert wrong.split()[1] not in answer.text


@pytest.mark.parametrize(
    "sent", ["Basic dXNlcjpwYXNz", "Bearer", "Bearer ", "Digest x=y", "\x00\xff", "Bearer a b c", "lk_"]
)
def test_a_header_that_is_no_key_is_refused(start_app: Start, make_key: MakeKey, sent: str) -> None:
    make_key()
    assert start_app().post(SESSIONS, headers={"Authorization": sent}).status_code == 401


def test_a_key_is_needed_from_the_beginning_where_that_is_set(start_app: Start, make_key: MakeKey) -> None:
    client = start_app(auth="required")
    assert client.post(SESSIONS).json["code"] == "key_missing"
    assert client.get("/livez").status_code == 200
    assert client.get("/docs").status_code == 200
    assert client.get("/").status_code == 200
    assert client.get("/api/v1/nothing").status_code == 404


def test_nobody_is_asked_where_that_is_set(start_app: Start, make_key: MakeKey) -> None:
    make_key()
    assert start_app(auth="off").post(SESSIONS).status_code == 200


def test_a_revoked_key_is_refused_in_time_and_the_service_stays_closed(
    start_app: Start, make_key: MakeKey, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, client = make_key(), start_app()
    assert client.post(SESSIONS, headers=key.headers).status_code == 200
    with UnitOfWork(engine) as uow:
        assert uow.keys.revoke(key.id, time.time())
        assert not uow.keys.revoke(key.id, time.time()), "once"
        uow.commit()
    monkeypatch.setattr(keyring, "FRESH", 0.0)  # as if that many seconds had passed
    assert client.post(SESSIONS, headers=key.headers).json["code"] == "key_unknown"
    assert client.post(SESSIONS).json["code"] == "key_missing", "though no key is valid any more"


def test_the_first_key_closes_a_service_that_runs(
    client: FlaskClient, make_key: MakeKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.post(SESSIONS).status_code == 200
    make_key()
    monkeypatch.setattr(keyring, "FRESH", 0.0)
    assert client.post(SESSIONS).status_code == 401


def test_a_key_costs_a_frame_no_look_into_the_database(start_app: Start, make_key: MakeKey, engine: Engine) -> None:
    key, client = make_key(), start_app()
    held = client.application.extensions["resources"]
    asked: list[str] = []
    event.listen(held.engine, "before_cursor_execute", lambda *facts: asked.append(facts[2]))
    for _ in range(20):
        assert client.get(f"{SESSIONS}/{'0' * 8}-0000-4000-8000-{'0' * 12}", headers=key.headers).status_code == 404
    assert sum("FROM api_keys" in statement for statement in asked) == 1
    assert sum("UPDATE api_keys" in statement for statement in asked) == 1, "its use is noted once"


def test_a_key_shows_when_it_was_last_used(
    start_app: Start, make_key: MakeKey, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, unused = make_key(), make_key()

    def used() -> dict[str, float | None]:
        with UnitOfWork(engine, read_only=True) as uow:
            return {found.id: found.last_used_at for found in uow.keys.all()}

    assert start_app().post(SESSIONS, headers=key.headers).status_code == 200
    first = used()
    assert first[key.id] == pytest.approx(time.time(), abs=10)
    assert first[unused.id] is None
    # Another process reads the note, and leaves it as it is until it is old.
    assert start_app().post(SESSIONS, headers=key.headers).status_code == 200
    assert used() == first
    monkeypatch.setattr(keyring, "SPARSELY", 0.0)
    assert start_app().post(SESSIONS, headers=key.headers).status_code == 200
    assert (used()[key.id] or 0) > (first[key.id] or 0)


def test_a_use_that_cannot_be_noted_refuses_nobody(
    start_app: Start, make_key: MakeKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = make_key()

    def fail(*_: object) -> None:
        raise OperationalError("UPDATE", {}, Exception("read-only"))

    monkeypatch.setattr(KeyRepository, "used", fail)
    assert start_app().get(f"{SESSIONS}/{session_like().id}", headers=key.headers).status_code == 404


def test_an_expired_key_is_refused_and_its_tokens_too(start_app: Start, engine: Engine) -> None:
    at = time.time()
    given, key = api_keys.make("", Role.SERVER, at, expires_at=at + 3600)
    with UnitOfWork(engine) as uow:
        uow.keys.add(key)
        uow.commit()
    client, headers = start_app(), {"Authorization": f"Bearer {given}"}
    made = client.post(f"{SESSIONS}?token=true", headers=headers).json
    look, by_token = f"{SESSIONS}/{made['session_id']}", {"Authorization": f"Bearer {made['token']}"}
    assert client.get(look, headers=by_token).status_code == 200
    with engine.begin() as connection:
        connection.execute(update(table).values(expires_at=at - 1))
    client = start_app()
    assert client.get(look, headers=headers).json["code"] == "key_unknown"
    assert client.get(look, headers=by_token).json["code"] == "token_unknown"
    assert client.get(look).json["code"] == "key_missing", "the service stays closed"


def test_a_rotated_key_keeps_its_sessions_and_its_former_secret_works_for_a_while(
    start_app: Start, make_key: MakeKey, engine: Engine, keep: Keep
) -> None:
    made = make_key("client")
    session = keep(session_like(owner=made.id))
    at = time.time()
    with UnitOfWork(engine) as uow:
        (key,) = uow.keys.all()
        given, key = api_keys.rotate(key, at, 3600.0, None)
        uow.keys.rotate(key)
        uow.commit()
    look, new = f"{SESSIONS}/{session.id}", {"Authorization": f"Bearer {given}"}
    assert [start_app().get(look, headers=headers).status_code for headers in (made.headers, new)] == [200, 200]
    with engine.begin() as connection:
        connection.execute(update(table).values(former_until=at - 1))
    client = start_app()
    assert [client.get(look, headers=headers).status_code for headers in (made.headers, new)] == [401, 200]


def test_a_former_secret_lives_no_longer_than_its_key_would_have() -> None:
    _, key = api_keys.make("", Role.SERVER, 0.0, expires_at=50.0)
    given, rotated = api_keys.rotate(key, 10.0, 100.0, 1000.0)
    assert (rotated.id, rotated.former_until, rotated.expires_at) == (key.id, 50.0, 1000.0)
    assert rotated.opens(given, 999.0)
    assert not rotated.opens(given, 1000.0)


#: What becomes of a call on a session: of the key's own, and of another one's.
TABLE = {
    ("server", "look"): (200, 200),
    ("server", "frame"): (200, 200),
    ("server", "cancel"): (200, 200),
    ("server", "evidence"): (200, 200),
    ("server", "portrait"): (404, 404),  # there is none
    ("client", "look"): (200, 404),
    ("client", "frame"): (200, 404),
    ("client", "cancel"): (409, 404),  # it may cancel what has not ended
    ("client", "evidence"): (403, 403),
    ("client", "portrait"): (403, 403),
}


@pytest.mark.parametrize(("role", "name"), TABLE)
def test_who_may_do_what(start_app: Start, keep: Keep, make_key: MakeKey, role: str, name: str) -> None:
    key, client = make_key(role), start_app()
    # Ended ones, so that a frame is answered without a worker.
    end: dict[str, Any] = {"state": State.FAILED, "ended_at": 1009.0, "reason": "timed_out"}
    own = keep(session_like("a1b2c3d4-e5f6-7890-abcd-ef1234567890", owner=key.id, **end))
    others = [
        keep(session_like("b1b2c3d4-e5f6-7890-abcd-ef1234567890", owner=make_key().id, **end)),
        keep(session_like("c1b2c3d4-e5f6-7890-abcd-ef1234567890", owner=None, **end)),
    ]
    on_own, on_others = TABLE[role, name]
    for session in others:
        answer = call(client, name, session.id, key.headers)
        assert answer.status_code == on_others
        if role == "client":
            unknown = call(client, name, "00000000-0000-4000-8000-000000000000", key.headers)
            assert answer.json["code"] == unknown.json["code"], "it is not told that there is one"
    assert call(client, name, own.id, key.headers).status_code == on_own


def test_the_table_of_acts_names_endpoints_that_there_are(client: FlaskClient) -> None:
    assert set(access.ACTS) <= set(client.application.view_functions)


def test_a_route_that_nobody_thought_of_is_for_servers_alone(start_app: Start, make_key: MakeKey) -> None:
    server, app_key = make_key("server"), make_key("client")
    client = start_app(before=lambda app: app.add_url_rule("/api/v1/tomorrow", view_func=lambda: "for servers"))
    assert client.get("/api/v1/tomorrow").status_code == 401
    assert client.get("/api/v1/tomorrow", headers=app_key.headers).status_code == 403
    assert client.get("/api/v1/tomorrow", headers=server.headers).status_code == 200


def test_what_is_too_large_is_refused_before_anyone_is_asked(start_app: Start) -> None:
    answer = start_app(auth="required", max_frame_bytes=2000).post(
        f"{SESSIONS}/{session_like().id}/frame", data=b"x" * 100_000
    )
    assert (answer.status_code, answer.json["code"]) == (413, "picture_too_large")


def test_without_the_database_nobody_gets_in(start_app: Start, engine: Engine) -> None:
    """Whether a key has been made cannot be told then, so it is not taken for granted that none has."""
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE api_keys RENAME TO gone")
    answer = start_app().post(SESSIONS)
    assert (answer.status_code, answer.json["code"]) == (503, "database_unavailable")


@pytest.mark.parametrize(
    ("auth", "made", "said"),
    [
        ("auto", False, "access.open"),
        ("auto", True, "access.keys_asked_for"),
        ("required", False, "access.keys_asked_for"),
        ("off", True, "access.open"),
    ],
)
def test_the_web_process_says_whether_it_is_open(
    start_app: Start, make_key: MakeKey, auth: str, made: bool, said: str
) -> None:
    if made:
        make_key()
    client = start_app(auth=auth)
    with capture_logs() as lines:
        access.announce(client.application)
    assert [line["event"] for line in lines] == [said]
    assert lines[0]["log_level"] == ("warning" if said == "access.open" else "info")


def test_the_document_says_how_a_key_is_sent(client: FlaskClient) -> None:
    document = client.get("/openapi.json").json
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    for path, item in document["paths"].items():
        for operation in item.values():
            assert ("security" in operation) == path.startswith("/api/")


def test_a_key_is_of_one_form_and_only_its_hash_is_kept() -> None:
    given, key = api_keys.make("a test", Role.SERVER, 1.0)
    assert re.fullmatch(r"lk_[0-9a-f]{12}_[A-Za-z0-9_-]{43}", given)
    assert key.id in given
    assert given not in repr(key)
    assert given[16:] not in repr(key)
    assert api_keys.make("a test", Role.SERVER, 1.0)[0] != given
