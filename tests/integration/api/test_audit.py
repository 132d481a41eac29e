"""Who did what to a session, and what is left of one that was deleted."""

from __future__ import annotations

import time
from collections.abc import Callable

import jwt
import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from shared.db import UnitOfWork
from shared.db.root_secret import RootSecret
from shared.db.trail import Action, Entry, Tombstone
from shared.handoff import portraits
from shared.liveness.options import Options
from shared.liveness.session import Session, State
from shared.redis.client import make_redis
from shared.settings import Settings
from tests.integration.api.conftest import SESSIONS, MakeKey, session_like
from workers.clock import Trails

Start = Callable[..., FlaskClient]
Keep = Callable[[Session], Session]
FROM = {"REMOTE_ADDR": "::ffff:192.0.2.77"}


def trail(engine: Engine, session_id: str) -> list[Entry]:
    with UnitOfWork(engine, read_only=True) as uow:
        return uow.trail.of(session_id)


def test_a_sessions_life(start_app: Start, make_key: MakeKey, engine: Engine) -> None:
    key = make_key()
    client = start_app()
    headers = key.headers | {"X-Request-ID": "the-first-one"}
    session_id = client.post(f"{SESSIONS}?token=true", headers=headers, environ_base=FROM).json["session_id"]
    address = f"{SESSIONS}/{session_id}"
    client.get(address, headers=key.headers)
    client.get(f"{address}/evidence", headers=key.headers)
    client.delete(address, headers=key.headers)
    entries = trail(engine, session_id)
    assert [entry.action for entry in entries] == [
        Action.CREATED,
        Action.TOKEN_ISSUED,
        Action.EVIDENCE_READ,
        Action.CANCELLED,
    ]
    assert {(entry.who, entry.key_id) for entry in entries} == {("server", key.id)}
    assert (entries[0].network, entries[0].request_id) == ("192.0.2.0/24", "the-first-one")
    assert entries[0].at == pytest.approx(time.time(), abs=10)


def test_who_reads_a_verdict_is_in_it(start_app: Start, make_key: MakeKey, keep: Keep, engine: Engine) -> None:
    backend, app_key = make_key(), make_key("client")
    open_one = keep(session_like("b1b2c3d4-e5f6-7890-abcd-ef1234567890"))
    session = keep(
        session_like(state=State.COMPLETED, started_at=1001.0, ended_at=1009.0, is_live=False, owner=app_key.id)
    )
    client = start_app(client_sees_verdict=False)
    assert client.get(f"{SESSIONS}/{open_one.id}", headers=backend.headers).status_code == 200
    assert trail(engine, open_one.id) == [], "it has no verdict yet"
    assert client.get(f"{SESSIONS}/{session.id}", headers=app_key.headers).json["is_live"] is None
    assert trail(engine, session.id) == [], "it was not shown"
    assert client.get(f"{SESSIONS}/{session.id}", headers=backend.headers).json["is_live"] is False
    signed = client.get(f"{SESSIONS}/{session.id}/verdict", headers=backend.headers).json["verdict"]
    read, fetched = trail(engine, session.id)
    assert (read.action, read.key_id, read.target) == (Action.VERDICT_READ, backend.id, None)
    jti = jwt.decode(signed, options={"verify_signature": False})["jti"]
    assert (fetched.action, fetched.target) == (Action.VERDICT_SIGNED, jti)


def test_a_secret_that_is_made_is_in_it_once(engine: Engine) -> None:
    for _ in range(2):
        RootSecret(lambda: engine, None).key("a purpose")
    with UnitOfWork(engine, read_only=True) as uow:
        (made,) = uow.trail.of_no_session()
    assert (made.action, made.who, made.target) == (Action.SECRET_CREATED, "service", "root")


def test_a_portrait_that_is_fetched(client: FlaskClient, keep: Keep, engine: Engine, settings: Settings) -> None:
    session = keep(
        session_like(
            state=State.COMPLETED, started_at=1001.0, ended_at=1009.0, is_live=True, options=Options(portrait=True)
        )
    )
    redis = make_redis(settings.redis_url)
    portraits.keep(redis, session.id, 1.0, b"\xff\xd8 a picture", 60)
    redis.close()
    assert client.get(f"{SESSIONS}/{session.id}/portrait").status_code == 200
    assert [(entry.action, entry.who) for entry in trail(engine, session.id)] == [(Action.PORTRAIT_FETCHED, "anyone")]


def test_what_was_refused_is_not_in_it(start_app: Start, make_key: MakeKey, keep: Keep, engine: Engine) -> None:
    key = make_key("client")
    client = start_app()
    session = keep(session_like(owner=key.id))
    assert client.get(f"{SESSIONS}/{session.id}/evidence", headers=key.headers).status_code == 403
    assert client.delete(f"{SESSIONS}/{session.id}").status_code == 401
    assert trail(engine, session.id) == []


def test_what_cannot_be_recorded_is_not_given_out(client: FlaskClient, keep: Keep, engine: Engine) -> None:
    session = keep(session_like())
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE audit RENAME TO gone")
    answer = client.get(f"{SESSIONS}/{session.id}/evidence")
    assert (answer.status_code, answer.json["code"]) == (503, "database_unavailable")


def test_of_a_deleted_session_only_a_tombstone_is_left(start_app: Start, make_key: MakeKey, engine: Engine) -> None:
    key = make_key()
    client = start_app()
    session_id = client.post(f"{SESSIONS}?subject=somebody", headers=key.headers).json["session_id"]
    assert client.delete(f"{SESSIONS}/{session_id}", headers=key.headers).status_code == 200
    assert client.get(f"{SESSIONS}/{session_id}", headers=key.headers).status_code == 404
    with engine.connect() as connection:
        for table in ("sessions", "challenges", "frames"):
            assert connection.scalar(text(f"SELECT count(*) FROM {table}")) == 0
    with UnitOfWork(engine, read_only=True) as uow:
        left = uow.trail.tombstone(session_id)
    assert left is not None
    assert (left.ended_at, left.deleted_by) == (None, key.id)
    assert left.created_at <= left.deleted_at <= time.time() + 1


def test_its_events_go_when_they_have_been_told(client: FlaskClient, engine: Engine) -> None:
    gone, stays = (client.post(SESSIONS).json["session_id"] for _ in range(2))
    client.delete(f"{SESSIONS}/{gone}")
    trails = Trails(engine, audit=1e6, tombstones=1e6, attempts=1e6)

    def events() -> list[tuple[str, str]]:
        with engine.connect() as connection:
            rows = connection.execute(text("SELECT session_id, type FROM outbox ORDER BY id")).all()
            return [(row[0], row[1]) for row in rows]

    trails.forget_told(time.time())
    assert (gone, "session.cancelled") in events(), "not before it has been told"
    with engine.begin() as connection:
        connection.execute(text("UPDATE outbox SET published_at = :at"), {"at": time.time()})
    trails.forget_told(time.time())
    assert events() == [(stays, "session.created")]


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_nobody_changes_the_trail_and_time_ends_it(
    request: pytest.FixtureRequest, engine: Engine, database: str
) -> None:
    from shared.db import make_engine
    from tests.integration import schema

    if database == "postgresql":
        engine = make_engine(request.getfixturevalue("postgres_url"))
        request.addfinalizer(engine.dispose)
        schema.create(engine)
    now = time.time()
    with UnitOfWork(engine) as uow:
        for age in (100.0, 10.0):
            uow.trail.add(Entry(now - age, Action.CREATED, "a session", "anyone", None, "unknown", "a request"))
            uow.trail.bury(Tombstone(f"{age}", now - 200, None, now - age, "anyone"))
            uow.attempts.add("s", now - age)
        uow.commit()
    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
        connection.execute(text("UPDATE audit SET who = 'somebody else'"))
    assert not Trails(engine, audit=50, tombstones=50, attempts=50).purge(now)
    with UnitOfWork(engine, read_only=True) as uow:
        assert [entry.at for entry in uow.trail.of("a session")] == [now - 10]
        assert (uow.trail.tombstone("100.0"), uow.attempts.failed("s", 0)) == (None, [now - 10])
        assert uow.trail.tombstone("10.0") is not None
