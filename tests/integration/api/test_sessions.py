"""Creating, looking at and cancelling sessions, in every state."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from shared.db import UnitOfWork
from shared.liveness.challenge import EXPRESSIONS, HEAD_MOVEMENTS, INSTRUCTIONS, OPPOSITES, Challenge, ChallengeType
from shared.liveness.session import LONGEST_TRANSIT, Session, State
from tests.endings import nothing_else
from tests.integration.api.conftest import SESSIONS, session_like

UNKNOWN = "00000000-0000-4000-8000-000000000000"

ENDS: dict[str, dict[str, Any]] = {
    "pending": {},
    "in_progress": {"state": State.IN_PROGRESS, "started_at": 1001.0},
    "completed": {"state": State.COMPLETED, "ended_at": 1009.0, "is_live": True},
    "failed": {"state": State.FAILED, "ended_at": 1009.0, "reason": "timed_out"},
    "expired": {"state": State.EXPIRED, "ended_at": 1300.0, "reason": "expired"},
}

Keep = Callable[[Session], Session]


def test_creation_as_documented(client: FlaskClient) -> None:
    answer = client.post(SESSIONS)
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert list(answer.json) == ["session_id", "state", "challenges"]
    assert answer.json["state"] == "pending"
    assert len(answer.json["challenges"]) == 3
    for challenge in answer.json["challenges"]:
        assert list(challenge) == ["type", "instruction", "timeout_seconds"]
        assert challenge["instruction"] == INSTRUCTIONS[challenge["type"]]
        assert challenge["timeout_seconds"] == 5.0
    look = client.get(f"{SESSIONS}/{answer.json['session_id']}").json
    assert {name: look[name] for name in (*answer.json, "is_live")} == {**answer.json, "is_live": None}


@pytest.mark.parametrize(
    ("query", "count", "seconds"),
    [
        ("num_challenges=1&timeout_seconds=1", 1, 1.0),
        ("num_challenges=10&timeout_seconds=60", 10, 60.0),
        ("timeout_seconds=2.5", 3, 2.5),
    ],
)
def test_creation_within_the_ranges(client: FlaskClient, query: str, count: int, seconds: float) -> None:
    challenges = client.post(f"{SESSIONS}?{query}").json["challenges"]
    assert len(challenges) == count
    assert {challenge["timeout_seconds"] for challenge in challenges} == {seconds}


def test_draws_are_varied_and_keep_the_rules(client: FlaskClient) -> None:
    drawn = [[c["type"] for c in client.post(SESSIONS).json["challenges"]] for _ in range(60)]
    for types in drawn:
        assert HEAD_MOVEMENTS & set(types)
        assert EXPRESSIONS & set(types)
        for before, after in pairwise(types):
            assert after not in (before, OPPOSITES.get(ChallengeType(before)))
    assert set(Counter(types[0] for types in drawn)) == set(ChallengeType)
    assert len({tuple(types) for types in drawn}) > 30


def test_what_is_kept_of_a_new_session(client: FlaskClient, engine: Engine) -> None:
    before = time.time()
    created = client.post(f"{SESSIONS}?mirrored=true").json
    with UnitOfWork(engine, read_only=True) as uow:
        session = uow.sessions.get(created["session_id"])
    assert session is not None
    assert session.mirrored
    assert before <= session.created_at <= time.time()
    assert session.expires_at == pytest.approx(session.created_at + 300)
    with engine.connect() as connection:
        assert connection.scalars(text("SELECT type FROM outbox")).all() == ["session.created"]


@pytest.mark.parametrize("state", ENDS)
def test_looking_at_a_session_in_every_state(client: FlaskClient, keep: Keep, state: str) -> None:
    session = keep(session_like(**ENDS[state]))
    answer = client.get(f"{SESSIONS}/{session.id}")
    assert answer.status_code == 200
    told = dict(answer.json)
    assert told.pop("asked")["policy"] is None, "of an earlier version"
    assert {told.pop(name) for name in ("owner", "subject", "nonce", "relying_party")} == {None}
    assert told == {
        "session_id": session.id,
        "state": state,
        "challenges": [
            {"type": "TURN_LEFT", "instruction": "Turn your head to the left", "timeout_seconds": 5.0},
            {"type": "BLINK", "instruction": "Blink your eyes", "timeout_seconds": 5.0},
            {"type": "SMILE", "instruction": "Smile", "timeout_seconds": 5.0},
        ],
        "is_live": True if state == "completed" else None,
    }


def test_a_verdict_against_a_person_is_told_as_false(client: FlaskClient, keep: Keep) -> None:
    """For the relying party's server: a completed session is not yet a live person."""
    session = keep(session_like(state=State.COMPLETED, ended_at=1009.0, is_live=False, reason="flat"))
    answer = client.get(f"{SESSIONS}/{session.id}").json
    assert (answer["state"], answer["is_live"]) == ("completed", False)
    assert list(answer)[:4] == ["session_id", "state", "challenges", "is_live"]
    assert not {"reason", "score", "findings"} & set(answer), "and nothing of the reason"


@pytest.mark.parametrize("state", ENDS)
def test_cancelling_in_every_state(client: FlaskClient, keep: Keep, engine: Engine, state: str) -> None:
    session = keep(session_like(**ENDS[state]))
    address = f"{SESSIONS}/{session.id}"
    answer = client.delete(address)
    assert (answer.status_code, answer.json) == (200, {"cancelled": session.id})
    for again in (client.get(address), client.delete(address), client.post(f"{address}/frame")):
        assert (again.status_code, again.json["code"]) == (404, "session_not_found")
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM sessions")) == 0
        assert connection.scalar(text("SELECT type FROM outbox ORDER BY id DESC LIMIT 1")) == "session.cancelled"


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_session_not_found(client: FlaskClient, method: str) -> None:
    answer = client.open(f"{SESSIONS}/{UNKNOWN}", method=method)
    assert (answer.status_code, answer.json["code"]) == (404, "session_not_found")


def test_an_id_in_capitals_is_the_same_id(client: FlaskClient, keep: Keep) -> None:
    session = keep(session_like())
    assert client.get(f"{SESSIONS}/{session.id.upper()}").json["session_id"] == session.id


def overdue(kind: str, now: float) -> Session:
    if kind == "expired":
        return session_like(created_at=now - 301, expires_at=now - 1)
    first = Challenge(ChallengeType.BLINK, 5.0, started_at=now - 5 - LONGEST_TRANSIT - 1)
    return session_like(
        state=State.IN_PROGRESS, created_at=now - 20, started_at=now - 15, challenges=[first], expires_at=now + 280
    )


@pytest.mark.parametrize("kind", ["expired", "failed"])
def test_time_tells_without_another_frame(client: FlaskClient, keep: Keep, engine: Engine, kind: str) -> None:
    session = keep(overdue(kind, time.time()))
    assert client.get(f"{SESSIONS}/{session.id}").json["state"] == kind
    with UnitOfWork(engine, read_only=True) as uow:
        kept = uow.sessions.get(session.id)
    assert kept is not None
    assert kept.state == kind, "and it is kept"
    with engine.connect() as connection:
        assert connection.scalars(text("SELECT type FROM outbox")).all() == [f"session.{kind}"]
    assert client.get(f"{SESSIONS}/{session.id}").json["state"] == kind
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM outbox")) == 1, "and it is told once"


def test_looking_does_not_wait_for_a_frame_that_is_being_judged(
    client: FlaskClient, keep: Keep, engine: Engine
) -> None:
    session = keep(session_like())
    with UnitOfWork(engine) as judging:
        judging.sessions.get(session.id, lock=True)
        assert (
            client.get(f"{SESSIONS}/{session.id}").status_code == 200
        )  # had it waited, it would have waited for nothing


def test_a_session_that_ended_meanwhile_is_found_as_it_is(client: FlaskClient, keep: Keep, engine: Engine) -> None:
    """Two look at an overdue session at once: what the first made of it is not made again."""
    session = keep(overdue("expired", time.time()))
    with UnitOfWork(engine, on_end=nothing_else) as uow:
        held = uow.sessions.get(session.id, lock=True)
        assert held is not None
        held.tick(time.time())
        uow.sessions.save(held)
        uow.commit()
    assert client.get(f"{SESSIONS}/{session.id}").json["state"] == "expired"


def test_rows_on_postgresql(postgres_url: str, start_app: Callable[..., FlaskClient]) -> None:
    """The same calls over the other database."""
    from shared.db import make_engine
    from tests.integration import schema

    engine = make_engine(postgres_url)
    try:
        schema.create(engine)
        client = start_app(database_url=postgres_url)
        created = client.post(SESSIONS).json
        address = f"{SESSIONS}/{created['session_id']}"
        look = client.get(address).json
        assert {name: look[name] for name in (*created, "is_live")} == {**created, "is_live": None}
        with UnitOfWork(engine) as uow:
            late = replace(overdue("expired", time.time()), id=UNKNOWN)
            uow.sessions.add(late)
            uow.commit()
        assert client.get(f"{SESSIONS}/{UNKNOWN}").json["state"] == "expired"
        assert client.delete(address).json == {"cancelled": created["session_id"]}
        assert client.get(address).status_code == 404
    finally:
        engine.dispose()
