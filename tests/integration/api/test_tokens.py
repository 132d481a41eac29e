"""Session tokens: one session's frames and state, for a client without a key."""

from __future__ import annotations

import time
from collections.abc import Callable

import jwt
import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from api import keyring
from api.tokens import AUDIENCE, GRACE, ISSUER
from shared.db import UnitOfWork, make_engine
from shared.db.root_secret import RootSecret
from shared.liveness.session import Session, State
from tests.integration import schema
from tests.integration.api.conftest import SESSIONS, MadeKey, MakeKey, session_like

Start = Callable[..., FlaskClient]
Keep = Callable[[Session], Session]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def key(make_key: MakeKey) -> MadeKey:
    return make_key()


@pytest.fixture
def closed(key: MadeKey, start_app: Start) -> FlaskClient:
    """A service that asks for keys."""
    return start_app()


def new(client: FlaskClient, key: MadeKey) -> tuple[str, dict[str, str]]:
    made = client.post(f"{SESSIONS}?token=true", headers=key.headers).json
    return f"{SESSIONS}/{made['session_id']}", bearer(made["token"])


def test_a_token_is_given_to_who_asks_for_one(closed: FlaskClient, key: MadeKey) -> None:
    without = closed.post(SESSIONS, headers=key.headers).json
    assert list(without) == ["session_id", "state", "challenges"]
    made = closed.post(f"{SESSIONS}?token=true", headers=key.headers).json
    assert list(made) == ["session_id", "state", "challenges", "token"]
    claims = jwt.decode(made["token"], options={"verify_signature": False})
    assert claims["sub"] == made["session_id"]
    assert claims["key"] == key.id
    assert claims["exp"] == pytest.approx(time.time() + 300 + GRACE, abs=5), "little longer than its session"


@pytest.mark.parametrize("role", ["server", "client"])
def test_a_token_opens_its_session_and_no_more(start_app: Start, make_key: MakeKey, role: str) -> None:
    maker = make_key(role)
    client = start_app(frame_deadline=0.1)
    address, token = new(client, maker)
    other, _ = new(client, maker)
    assert client.get(address, headers=token).json["state"] == "pending"
    assert client.get(address.upper().replace(SESSIONS.upper(), SESSIONS), headers=token).status_code == 200
    assert client.post(f"{address}/frame", headers=token).json["code"] == "not_multipart", "it got in"
    for method, path, code in [
        ("GET", other, "other_session"),
        ("POST", f"{other}/frame", "other_session"),
        ("GET", f"{SESSIONS}/00000000-0000-4000-8000-000000000000", "other_session"),
        ("DELETE", other, "other_session"),
        ("GET", f"{address}/evidence", "forbidden"),
        ("GET", f"{address}/portrait", "forbidden"),
        ("POST", SESSIONS, "forbidden"),
    ]:
        refused = client.open(path, method=method, headers=token)
        assert (refused.status_code, refused.json["code"]) == (403, code)
    assert client.get(address).status_code == 401


def forge(client: FlaskClient, key: bytes | None = None, algorithm: str = "HS256", **claims: object) -> str:
    """A token, made with the service's own secret, some of it changed."""
    secret: RootSecret = client.application.extensions["secret"]
    whole = {"iss": ISSUER, "aud": AUDIENCE, "sub": session_like().id, "exp": time.time() + 60, **claims}
    whole = {name: value for name, value in whole.items() if value is not None}
    if algorithm == "none":
        return jwt.encode(whole, None, algorithm=algorithm)
    return jwt.encode(whole, secret.key("session tokens") if key is None else key, algorithm=algorithm)


def test_a_token_that_was_tampered_with_opens_nothing(closed: FlaskClient, keep: Keep) -> None:
    session = keep(session_like())
    address = f"{SESSIONS}/{session.id}"
    right = forge(closed)
    assert closed.get(address, headers=bearer(right)).status_code == 200
    head, body, signature = right.split(".")
    tampered = [
        f"{head}.{body}.{signature[:-4]}AAAA",
        f"{head}.{body}.",
        head,
        "eyJ",
        forge(closed, b"k" * 32),
        forge(closed, algorithm="none"),
        forge(closed, iss="somebody"),
        forge(closed, aud="liveness/other"),
        forge(closed, exp=None),
        forge(closed, exp="never"),
        forge(closed, sub=None),
        forge(closed, iss=None),
    ]
    for token in tampered:
        answer = closed.get(address, headers=bearer(token))
        assert (answer.status_code, answer.json["code"]) == (401, "token_unknown")


def test_a_token_ends(closed: FlaskClient, keep: Keep) -> None:
    session = keep(session_like())
    answer = closed.get(f"{SESSIONS}/{session.id}", headers=bearer(forge(closed, exp=time.time() - 1)))
    assert (answer.status_code, answer.json["code"]) == (401, "token_expired")


def test_a_token_dies_with_its_key(
    closed: FlaskClient, key: MadeKey, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, token = new(closed, key)
    assert closed.get(address, headers=token).status_code == 200
    with UnitOfWork(engine) as uow:
        uow.keys.revoke(key.id, time.time())
        uow.commit()
    monkeypatch.setattr(keyring, "FRESH", 0.0)
    assert closed.get(address, headers=token).json["code"] == "token_unknown"


def test_while_no_key_is_asked_for_a_token_is_given_and_nobody_looks_at_it(client: FlaskClient) -> None:
    made = client.post(f"{SESSIONS}?token=true").json
    other = client.post(SESSIONS).json["session_id"]
    assert client.get(f"{SESSIONS}/{other}", headers=bearer(made["token"])).status_code == 200


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_all_processes_take_each_others_tokens(
    request: pytest.FixtureRequest, start_app: Start, make_key: MakeKey, database: str
) -> None:
    changes = {}
    if database == "postgresql":
        changes = {"database_url": request.getfixturevalue("postgres_url")}
        other = make_engine(changes["database_url"])
        schema.create(other)
        key = make_key(engine=other)
        other.dispose()
    else:
        key = make_key()
    one, two = start_app(**changes), start_app(**changes)
    address, token = new(one, key)
    assert two.get(address, headers=token).status_code == 200
    third = start_app(token_secret=_secret("another one, of 32 characters at least"), **changes)
    assert third.get(address, headers=token).json["code"] == "token_unknown"


def _secret(text: str) -> object:
    from pydantic import SecretStr

    return SecretStr(text)


def test_a_given_secret_is_not_looked_for_in_the_database(start_app: Start, key: MadeKey, engine: Engine) -> None:
    client = start_app(token_secret=_secret("s" * 32))
    address, token = new(client, key)
    assert client.get(address, headers=token).status_code == 200
    with UnitOfWork(engine, read_only=True) as uow:
        assert uow.secrets.get("root") is None


@pytest.mark.parametrize("shown", [True, False])
def test_the_verdict_is_for_the_server_where_that_is_set(
    start_app: Start, make_key: MakeKey, keep: Keep, shown: bool
) -> None:
    server, app_key = make_key("server"), make_key("client")
    client = start_app(client_sees_verdict=shown)
    session = keep(session_like(state=State.COMPLETED, ended_at=1009.0, is_live=True, owner=app_key.id))
    address = f"{SESSIONS}/{session.id}"
    for headers, seen in [(server.headers, True), (app_key.headers, shown), (bearer(forge(client)), shown)]:
        look = client.get(address, headers=headers).json
        frame = client.post(f"{address}/frame", headers=headers).json
        assert look["state"] == frame["state"] == "completed"
        assert look["is_live"] is frame["is_live"] is (True if seen else None)
