"""What creation may bring and an end may give: a picture of the person expected, and one of the person who was there."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from redis import Redis

from shared.handoff import portraits, references
from shared.liveness.identity import Identity, Reference
from shared.liveness.options import Options
from shared.liveness.session import Session, State
from shared.queue.messages import IDENTITY, REFERENCES
from shared.redis import keyspace
from tests.integration.api.conftest import SESSIONS, session_like
from tests.unit.api.test_uploads import picture

Keep = Callable[[Session], Session]
JPEG = b"\xff\xd8 a portrait \xff\xd9"


def ended(**changes: object) -> Session:
    live = {"state": State.COMPLETED, "started_at": 1001.0, "ended_at": 1009.5, "is_live": True}
    return session_like(**{**live, "options": Options(portrait=True), **changes})


def test_a_portrait_is_given_once(client: FlaskClient, keep: Keep, redis: Redis) -> None:
    session = keep(ended())
    portraits.keep(redis, session.id, 3.0, JPEG, 60)
    answer = client.get(f"{SESSIONS}/{session.id}/portrait")
    assert (answer.status_code, answer.content_type, answer.data) == (200, "image/jpeg", JPEG)
    assert answer.headers["Cache-Control"] == "no-store"
    assert 0 < redis.ttl(keyspace.portrait(session.id)) <= keyspace.FETCHED_TTL
    again = client.get(f"{SESSIONS}/{session.id}/portrait")
    assert (again.status_code, again.data) == (200, JPEG), "the connection may have broken"
    assert client.delete(f"{SESSIONS}/{session.id}/portrait").json == {"deleted": session.id}
    for gone in (client.get(f"{SESSIONS}/{session.id}/portrait"), client.delete(f"{SESSIONS}/{session.id}/portrait")):
        assert (gone.status_code, gone.json["code"]) == (404, "portrait_not_found")


def test_asking_for_the_head_of_a_portrait_is_not_fetching_it(client: FlaskClient, keep: Keep, redis: Redis) -> None:
    session = keep(ended())
    portraits.keep(redis, session.id, 3.0, JPEG, 60)
    answer = client.head(f"{SESSIONS}/{session.id}/portrait")
    assert (answer.status_code, answer.content_type, answer.data) == (200, "image/jpeg", b"")
    assert answer.content_length == len(JPEG)
    assert redis.ttl(keyspace.portrait(session.id)) > keyspace.FETCHED_TTL
    assert client.get(f"{SESSIONS}/{session.id}/portrait").data == JPEG


@pytest.mark.parametrize(
    "session",
    [
        ended(is_live=False),
        ended(state=State.FAILED, is_live=None),
        ended(state=State.IN_PROGRESS, is_live=None, ended_at=None),
        ended(options=Options()),
    ],
)
def test_there_is_none_of_who_was_not_live_or_was_not_asked(
    client: FlaskClient, keep: Keep, redis: Redis, session: Session
) -> None:
    keep(replace(session))
    portraits.keep(redis, session.id, 3.0, JPEG, 60)
    answer = client.get(f"{SESSIONS}/{session.id}/portrait")
    assert (answer.status_code, answer.json["code"]) == (404, "portrait_not_found")


def test_of_an_unknown_session(client: FlaskClient) -> None:
    answer = client.get(f"{SESSIONS}/00000000-0000-4000-8000-000000000000/portrait")
    assert (answer.status_code, answer.json["code"]) == (404, "session_not_found")


def test_cancelling_leaves_nothing_of_a_face(client: FlaskClient, keep: Keep, redis: Redis) -> None:
    session = keep(ended())
    portraits.keep(redis, session.id, 3.0, JPEG, 60)
    for key in (keyspace.anchor(session.id), keyspace.reference(session.id)):
        redis.set(key, b"a face", ex=60)
    assert client.delete(f"{SESSIONS}/{session.id}").status_code == 200
    assert [key for key in redis.keys("*") if session.id.encode() in key] == [keyspace.ended(session.id).encode()]


def create(client: FlaskClient, data: bytes, name: str = "reference") -> object:
    return client.post(SESSIONS, data={name: (io.BytesIO(data), "person.jpg")}, content_type="multipart/form-data")


def test_a_picture_of_the_person_expected_goes_to_who_compares(
    start_app: Callable[..., FlaskClient], redis: Redis
) -> None:
    client = start_app(identity=True)
    answer = create(client, picture())
    assert answer.status_code == 200
    session_id = answer.json["session_id"]
    assert redis.get(keyspace.picture(session_id)) == picture()
    assert 0 < redis.ttl(keyspace.picture(session_id)) <= keyspace.CHIP_TTL
    assert redis.llen(f"dramatiq:{REFERENCES}") == 1
    assert not redis.exists(f"dramatiq:{IDENTITY}"), "comparisons of faces do not wait behind it"
    found = client.get(f"{SESSIONS}/{session_id}/evidence").json["reference"]
    assert found == {"match": None, "similarity": None, "problem": None}


def test_what_came_of_it_is_in_the_evidence(client: FlaskClient, keep: Keep) -> None:
    session = keep(session_like(identity=Identity(0.55, reference=Reference(distance=0.36))))
    found = client.get(f"{SESSIONS}/{session.id}/evidence").json["reference"]
    assert found == {"match": True, "similarity": 0.7, "problem": None}


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"", "image_empty"), (b"not a picture", "not_an_image"), (picture()[:300], "truncated_image")],
)
def test_a_picture_that_is_none_is_refused(start_app: Callable[..., FlaskClient], data: bytes, code: str) -> None:
    answer = create(start_app(identity=True), data)
    assert (answer.status_code, answer.json["code"]) == (422, code)


def test_a_form_without_one_is_as_no_form(start_app: Callable[..., FlaskClient]) -> None:
    client = start_app(identity=True)
    empty = client.post(SESSIONS, data=b"--x--\r\n", content_type="multipart/form-data; boundary=x")
    assert empty.json["state"] == "pending"
    answer = create(client, picture(), name="another")
    assert (answer.status_code, answer.json["errors"][0]["parameter"]) == (422, "another")


def test_where_nobody_compares_a_picture_is_refused(client: FlaskClient) -> None:
    answer = create(client, picture())
    assert (answer.status_code, answer.json["code"]) == (422, "identity_off")


def test_without_its_queue_it_is_told(start_app: Callable[..., FlaskClient], redis: Redis) -> None:
    answer = create(start_app(identity=True, queue_url="redis://127.0.0.1:1/0"), picture())
    assert (answer.status_code, answer.json["code"]) == (503, "queue_unavailable")
    assert not redis.zcard(keyspace.REFERENCES)


def test_no_more_references_wait_than_may(start_app: Callable[..., FlaskClient], redis: Redis) -> None:
    client = start_app(identity=True)
    redis.zadd(keyspace.REFERENCES, {f"s{n}": time.time() for n in range(references.MOST)})
    answer = create(client, picture())
    assert (answer.status_code, answer.json["code"]) == (503, "too_many_references")
    assert answer.headers["Retry-After"]
    assert client.post(SESSIONS).status_code == 200, "others are not concerned"
    redis.zadd(keyspace.REFERENCES, {f"s{n}": time.time() - 60 for n in range(references.MOST)})
    assert create(client, picture()).status_code == 200


def test_a_portrait_takes_a_comparison(client: FlaskClient) -> None:
    answer = client.post(SESSIONS, query_string={"portrait": "true"})
    assert (answer.status_code, answer.json["code"]) == (422, "identity_off")
