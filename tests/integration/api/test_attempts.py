"""At most so many failed sessions of one subject, then a pause."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from shared.db import UnitOfWork, make_engine
from shared.liveness.session import State
from tests.endings import nothing_else
from tests.integration import schema
from tests.integration.api.conftest import SESSIONS, MakeKey

Start = Callable[..., FlaskClient]


@pytest.fixture(params=["sqlite", "postgresql"])
def rows(request: pytest.FixtureRequest, engine: Engine) -> Iterator[Engine]:
    """The same on either database."""
    if request.param == "sqlite":
        yield engine
        return
    other = make_engine(request.getfixturevalue("postgres_url"))
    schema.create(other)
    yield other
    other.dispose()


@pytest.fixture
def tried(start_app: Start, rows: Engine) -> FlaskClient:
    """A service that allows two failed sessions an hour."""
    return start_app(database_url=rows.url.render_as_string(hide_password=False), attempts=2)


def end(rows: Engine, session_id: str, state: State, *, begun: bool = True, is_live: bool | None = None) -> None:
    """Have a session end, as a worker or the clock does."""
    with UnitOfWork(rows, on_end=nothing_else) as uow:
        session = uow.sessions.get(session_id, lock=True)
        assert session is not None
        session.started_at = time.time() if begun else None
        session.state, session.ended_at, session.is_live = state, time.time(), is_live
        uow.sessions.save(session)
        uow.commit()


def create(client: FlaskClient, subject: str = "account 4711", **headers: str) -> str:
    answer = client.post(f"{SESSIONS}?subject={subject}", headers=headers)
    assert answer.status_code == 200
    return str(answer.json["session_id"])


def refused(client: FlaskClient, subject: str = "account 4711", **headers: str) -> int:
    answer = client.post(f"{SESSIONS}?subject={subject}", headers=headers)
    assert (answer.status_code, answer.json["code"]) == (429, "too_many_attempts")
    return int(answer.headers["Retry-After"])


def test_after_so_many_failures_there_is_a_pause(tried: FlaskClient, rows: Engine) -> None:
    end(rows, create(tried), State.FAILED)
    end(rows, create(tried), State.COMPLETED, is_live=False)
    assert refused(tried) == pytest.approx(3600, abs=5)
    assert create(tried, "somebody else")
    assert tried.post(SESSIONS).status_code == 200, "and without a subject nobody counts"
    with rows.begin() as connection:
        connection.execute(text("UPDATE attempts SET at = at - 3590"))
    assert refused(tried) <= 11
    with rows.begin() as connection:
        connection.execute(text("UPDATE attempts SET at = at - 20"))
    assert create(tried)


@pytest.mark.parametrize(
    ("state", "begun", "is_live"),
    [(State.COMPLETED, True, True), (State.EXPIRED, False, None)],
    ids=["live", "never begun"],
)
def test_what_does_not_count(tried: FlaskClient, rows: Engine, state: State, begun: bool, is_live: bool | None) -> None:
    for _ in range(4):
        end(rows, create(tried), state, begun=begun, is_live=is_live)


def test_sessions_that_are_open_count_until_they_end(tried: FlaskClient) -> None:
    """Else many would be opened at once, and played one after the other."""
    create(tried), create(tried)
    assert refused(tried) == pytest.approx(300, abs=5), "when the first expires"


def test_deleting_a_session_gives_no_attempt_back(tried: FlaskClient, rows: Engine) -> None:
    failed = create(tried)
    end(rows, failed, State.FAILED)
    running = create(tried)
    with UnitOfWork(rows) as uow:
        session = uow.sessions.get(running, lock=True)
        assert session is not None
        session.state, session.started_at = State.IN_PROGRESS, time.time()
        uow.sessions.save(session)
        uow.commit()
    for session_id in (failed, running):
        assert tried.delete(f"{SESSIONS}/{session_id}").status_code == 200
    assert refused(tried) > 3500


def test_cancelling_what_was_not_begun_is_free(tried: FlaskClient) -> None:
    for _ in range(4):
        assert tried.delete(f"{SESSIONS}/{create(tried)}").status_code == 200


def test_any_number_where_that_is_set(start_app: Start) -> None:
    client = start_app(attempts=0)
    for _ in range(8):
        create(client)


def test_only_a_keyed_hash_is_kept(client: FlaskClient, engine: Engine) -> None:
    import hashlib

    create(client)
    with engine.connect() as connection:
        kept = connection.scalar(text("SELECT subject FROM sessions"))
    assert len(kept) == 64
    assert kept != hashlib.sha256(b"account 4711").hexdigest()
    client.application.extensions["secret"]._value = b"another secret"
    create(client)
    with engine.connect() as connection:
        assert len(set(connection.scalars(text("SELECT subject FROM sessions")))) == 2


def test_a_client_key_cannot_use_up_what_is_the_servers(start_app: Start, make_key: MakeKey, engine: Engine) -> None:
    server, other, app = make_key("server"), make_key("server"), make_key("client")
    client = start_app(attempts=1, client_sees_verdict=True)
    create(client, **app.headers)
    assert refused(client, **app.headers)
    create(client, **server.headers)
    assert refused(client, **other.headers), "all servers mean the same person"


@pytest.mark.parametrize("subject", ["", "x" * 201])
def test_a_subject_that_is_none_is_told(client: FlaskClient, subject: str) -> None:
    answer = client.post(f"{SESSIONS}?subject={subject}")
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_parameter")
    assert "subject must be 1 to 200 characters" in answer.json["detail"]
