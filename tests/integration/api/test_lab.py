"""What the page `/lab` reads: there with LAB=on only, for servers alone, and what it says."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from shared.db import UnitOfWork
from shared.liveness.challenge import ChallengeType
from shared.liveness.session import Session
from tests.integration.api.conftest import SESSIONS, MakeKey
from tests.unit.liveness.people import T0, Person, film, gesture, without_face

Start = Callable[..., FlaskClient]


def played(engine: Engine) -> Session:
    """A session in the rows, of someone who looked, turned and was lost, as workers write it."""
    types = [ChallengeType.TURN_LEFT, ChallengeType.SMILE]
    session = Session.open(
        "a1b2c3d4-e5f6-7890-abcd-ef1234567890", types, timeout_seconds=20.0, at=T0, ttl=time.time() + 60 - T0
    )
    with UnitOfWork(engine) as uow:
        uow.sessions.add(session)
        frames = film(Person(), gesture(ChallengeType.TURN_LEFT, 1.5), seconds=3.0)
        for frame in frames:
            shown = without_face() if frame is frames[-1] else frame.observation
            result = session.submit(frame.id, shown, frame.at)
            uow.sessions.record(session.id, session.frames[-1], result)
        for challenge in session.challenges:
            if challenge.passed_at is None:
                challenge.started_at = time.time()  # or its time would be over long since
        uow.sessions.save(session)
        uow.commit()
    return session


def look(client: FlaskClient, session: Session, **query: float) -> dict[str, Any]:
    answer = client.get(f"{SESSIONS}/{session.id}/observations", query_string=query)
    assert answer.status_code == 200, answer.json
    found: dict[str, Any] = answer.json
    return found


def test_measures_answers_and_times(start_app: Start, engine: Engine) -> None:
    client, session = start_app(lab=True), played(engine)
    found = look(client, session)
    assert list(found) == ["session_id", "state", "at", "ended_at", "challenges", "judge", "frames"]
    assert (found["session_id"], found["state"], found["ended_at"]) == (session.id, "in_progress", None)
    first, second = found["challenges"]
    assert (first["type"], first["passed_at"]) == ("TURN_LEFT", session.challenges[0].passed_at)
    assert (second["type"], second["passed_at"]) == ("SMILE", None)
    frames = found["frames"]
    assert [frame["at"] for frame in frames] == [frame.at for frame in session.frames]
    for given, kept in zip(frames, session.frames, strict=True):
        face = kept.observation.face
        assert (given["face"] and given["face"]["yaw"]) == (face and face.yaw)
    assert (frames[-1]["faces"], frames[-1]["problem"], frames[-1]["answer"]["hint"]["code"]) == (
        0,
        "no_face",
        "no_face",
    )
    (passing,) = [frame for frame in frames if frame["answer"]["passed"]]
    assert passing["at"] == first["passed_at"]
    assert passing["answer"]["challenge_type"] == "TURN_LEFT"


def test_the_judge_s_view_is_of_the_current_challenge(start_app: Start, engine: Engine) -> None:
    judge = look(start_app(lab=True), played(engine))["judge"]
    assert (judge["challenge"], judge["position"], judge["met"]) == ("SMILE", 1, False)
    assert judge["neutral"]["pitch"] == pytest.approx(15, abs=2)
    assert judge["lines"]["TURN_LEFT"] == pytest.approx(judge["neutral"]["yaw"] + 20)
    assert judge["reached"] < judge["needed"] == 0.15


def test_only_later_frames_are_given_if_so_asked(start_app: Start, engine: Engine) -> None:
    client, session = start_app(lab=True), played(engine)
    since = session.frames[4].at
    assert [frame["id"] for frame in look(client, session, after=since)["frames"]] == [f.id for f in session.frames[5:]]
    assert look(client, session, after=session.frames[-1].at)["frames"] == []
    for wrong in ("-1", "soon", "nan", "inf"):
        answer = client.get(f"{SESSIONS}/{session.id}/observations", query_string={"after": wrong})
        assert (answer.status_code, answer.json["code"]) == (422, "invalid_parameter"), wrong


def test_of_a_new_session_and_of_none(start_app: Start) -> None:
    client = start_app(lab=True)
    created = client.post(f"{SESSIONS}?num_challenges=1").json["session_id"]
    found = client.get(f"{SESSIONS}/{created}/observations").json
    assert (found["state"], found["judge"], found["frames"]) == ("pending", None, [])
    unknown = client.get(f"{SESSIONS}/00000000-0000-4000-8000-000000000000/observations")
    assert (unknown.status_code, unknown.json["code"]) == (404, "session_not_found")


def test_it_is_for_servers_alone(start_app: Start, make_key: MakeKey) -> None:
    server, person = make_key(), make_key("client")
    client = start_app(lab=True)
    made = client.post(f"{SESSIONS}?token=true", headers=server.headers).json
    address = f"{SESSIONS}/{made['session_id']}/observations"
    token = {"Authorization": f"Bearer {made['token']}"}
    assert [client.get(address, headers=h).status_code for h in ({}, person.headers, token, server.headers)] == [
        401, 403, 403, 200,
    ]  # fmt: skip


def test_without_lab_there_is_neither_page_nor_call(client: FlaskClient) -> None:
    created = client.post(f"{SESSIONS}?num_challenges=1").json["session_id"]
    for path in ("/lab", f"{SESSIONS}/{created}/observations"):
        answer = client.get(path)
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    assert not [path for path in client.get("/openapi.json").json["paths"] if "observations" in path]


def test_the_page_has_the_policy_of_the_others(start_app: Start) -> None:
    client = start_app(lab=True)
    page, check = client.get("/lab"), client.get("/")
    assert page.status_code == 200
    assert page.headers["Content-Security-Policy"] == check.headers["Content-Security-Policy"]
    assert "<script>" not in page.text
    assert "style=" not in page.text
