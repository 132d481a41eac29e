"""Whichever way the API ends a session, Redis keeps nothing of its face. The workers' ways: ../workers/test_endings.py."""

from __future__ import annotations

import io
import time
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import Engine, text

from shared.liveness.options import Options
from shared.liveness.session import Session, State
from shared.redis import keyspace
from tests.integration.api.conftest import SESSIONS, session_like
from tests.integration.workers.test_endings import KINDS
from tests.unit.api.test_uploads import picture

Keep = Callable[[Session], Session]


def left(redis: Redis, session_id: str) -> set[str]:
    """The kinds of keys that Redis has of a session, apart from its mark."""
    return {key.decode().split(":")[0] for key in redis.keys("*") if session_id.encode() in key} - {"ended"}


def overdue() -> Session:
    now = time.time()
    session = session_like(created_at=now - 60, expires_at=now + 240, options=Options(portrait=True))
    session.state, session.started_at = State.IN_PROGRESS, now - 55
    session.challenges[0].started_at = now - 55
    return session


def look(client: FlaskClient, session: Session) -> None:
    assert client.get(f"{SESSIONS}/{session.id}").json["state"] == "failed"


def look_at_the_evidence(client: FlaskClient, session: Session) -> None:
    assert client.get(f"{SESSIONS}/{session.id}/evidence").status_code == 200


def ask_for_a_portrait(client: FlaskClient, session: Session) -> None:
    assert client.get(f"{SESSIONS}/{session.id}/portrait").status_code == 404


def send_a_frame(client: FlaskClient, session: Session) -> None:
    frame = {"image": (io.BytesIO(picture()), "frame.jpg")}
    answer = client.post(f"{SESSIONS}/{session.id}/frame", data=frame, content_type="multipart/form-data")
    assert answer.json["state"] == "failed"


def delete(client: FlaskClient, session: Session) -> None:
    assert client.delete(f"{SESSIONS}/{session.id}").status_code == 200


@pytest.mark.parametrize("way", [look, look_at_the_evidence, ask_for_a_portrait, send_a_frame, delete])
def test_nothing_of_the_face_is_left_and_nothing_comes_later(
    client: FlaskClient, keep: Keep, redis: Redis, way: Callable[[FlaskClient, Session], None]
) -> None:
    session = keep(overdue())
    # This session compares no faces.
    kinds = {name: write for name, write in KINDS.items() if name not in ("chip", "candidate")}
    for write in kinds.values():
        write(redis, session)
    assert left(redis, session.id) == set(kinds)
    way(client, session)
    assert left(redis, session.id) == set()
    for kind, write in KINDS.items():
        write(redis, session)
        assert left(redis, session.id) == set(), kind


def test_deleting_takes_a_portrait_that_could_still_be_fetched(client: FlaskClient, keep: Keep, redis: Redis) -> None:
    session = keep(session_like(state=State.COMPLETED, is_live=True, ended_at=1009.5, options=Options(portrait=True)))
    KINDS["portrait"](redis, session)
    delete(client, session)
    KINDS["portrait"](redis, session)
    assert left(redis, session.id) == set()


@pytest.mark.parametrize("query", ["", "?subject=somebody&token=true"])
def test_of_a_creation_that_fails_nothing_is_left(
    start_app: Callable[..., FlaskClient], redis: Redis, engine: Engine, query: str
) -> None:
    client = start_app(identity=True, queue_url="redis://127.0.0.1:1/0", attempts=1)
    for _ in range(2):  # the second is not refused: the first is no open attempt
        answer = client.post(
            f"{SESSIONS}{query}",
            data={"reference": (io.BytesIO(picture()), "person.jpg")},
            content_type="multipart/form-data",
        )
        assert (answer.status_code, answer.json["code"]) == (503, "queue_unavailable")
    assert redis.keys("picture:*") == []
    assert len(redis.keys("ended:*")) == 2
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM sessions")) == 0
        assert connection.scalar(text("SELECT count(*) FROM tombstones")) == 2
        assert connection.scalar(text("SELECT count(*) FROM attempts")) == 0


def test_this_process_does_not_take_an_ended_session_for_a_live_one(client: FlaskClient, keep: Keep) -> None:
    session = keep(overdue())
    cache = client.application.extensions["resources"].session_cache
    cache._seen[session.id] = (session, time.time() + 60)
    look(client, session)
    assert cache.known(session.id, time.time()) is None


def test_a_mark_lives_as_long_as_its_session_could(client: FlaskClient, keep: Keep, redis: Redis) -> None:
    session = keep(overdue())
    delete(client, session)
    left_to_live = redis.ttl(keyspace.ended(session.id))
    assert left_to_live == pytest.approx(session.expires_at - time.time() + keyspace.ENDED_MARGIN, abs=2)
