"""`ops.lab.chaos.truth` accepts what the service records, and nothing else."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, select, update

from ops.lab.chaos import truth
from shared.db import UnitOfWork, codec, make_engine
from shared.db.tables import challenges, frames, sessions
from shared.liveness.challenge import ChallengeType
from shared.liveness.frame import Frame
from shared.liveness.session import Session, State
from tests.endings import nothing_else
from tests.integration import schema
from tests.unit.liveness.people import PEOPLE, T0, film, gesture

TYPES = [ChallengeType.TURN_LEFT, ChallengeType.SMILE]
SHOWN = film(PEOPLE["usual"], gesture(TYPES[0], 1.5), gesture(TYPES[1], 5.0), seconds=12.0)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Order of writing is told differently by each."""
    url = f"sqlite:///{tmp_path}/rows.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    engine = make_engine(url)
    schema.create(engine)
    yield engine
    engine.dispose()


def _opened(engine: Engine, *, timeout_seconds: float, identify: bool = False) -> Session:
    session = Session.open(
        str(uuid.uuid4()), TYPES, timeout_seconds=timeout_seconds, at=T0 - 1, ttl=300, identify=identify
    )
    with UnitOfWork(engine) as uow:
        uow.sessions.add(session)
        uow.commit()
    return session


def _judged(engine: Engine, session_id: str, frame: Frame) -> Session:
    """The session after a frame, judged and recorded in a unit of its own."""
    with UnitOfWork(engine, on_end=nothing_else) as uow:
        session = uow.sessions.get(session_id, lock=True)
        uow.sessions.load_frames(session, frame.at)
        result = session.submit(frame.id, frame.observation, frame.at)
        uow.sessions.save(session)
        uow.sessions.record(session.id, frame, result)
        uow.commit()
    return session


@pytest.fixture
def session_id(engine: Engine) -> str:
    """A session as the workers leave it: its frames judged each in its unit, the comparisons coming in between."""
    session = _opened(engine, timeout_seconds=10.0, identify=True)
    for number, frame in enumerate(SHOWN):
        session = _judged(engine, session.id, frame)
        if number % 5 == 4 and not session.ended:
            _compare(engine, session.id, frame.at)
        if session.ended:
            break
    return session.id


def _compare(engine: Engine, session_id: str, at: float, only: str | None = None) -> None:
    with UnitOfWork(engine, on_end=nothing_else) as uow:
        session = uow.sessions.get(session_id, lock=True)
        for sample in session.identity.samples:
            if only in (None, sample.frame_id):
                session.take_distance(sample.frame_id, 0.2, at)
        uow.sessions.save(session)
        uow.commit()


@pytest.mark.parametrize("order", [1, -1])
def test_comparisons_that_come_in_late_and_in_any_order(engine, order):
    session = _opened(engine, timeout_seconds=10.0, identify=True)
    for number, frame in enumerate(SHOWN):
        session = _judged(engine, session.id, frame)
        if session.ended:
            break
        awaited = [s.frame_id for s in session.identity.samples if s.distance is None]
        if number % 3 == 2 and len(awaited) > 1:
            _compare(engine, session.id, frame.at, awaited[::order][0])
    record = truth.read(engine, session.id)
    assert sum(sample.distance is not None for sample in record.session.identity.samples) > 1
    assert truth.disagreement(record) is None


def test_a_face_that_was_never_asked_for(engine, session_id):
    record = truth.read(engine, session_id)
    asked = record.session.identity.samples
    asked[-1].frame_id = next(row.frame.id for row in record.rows if row.frame.id != asked[-1].frame_id)
    assert "asked" in truth.disagreement(record)


def reason(engine: Engine, session_id: str) -> str | None:
    record = truth.read(engine, session_id)
    assert record is not None
    return truth.disagreement(record)


def change(engine: Engine, statement: object) -> None:
    with engine.begin() as connection:
        connection.execute(statement)


def test_what_was_judged_is_what_its_frames_give(engine, session_id):
    record = truth.read(engine, session_id)
    assert record.session.state is State.COMPLETED
    assert len(record.rows) > 10
    assert [sample.distance for sample in record.session.identity.samples]
    assert truth.disagreement(record) is None


@pytest.mark.parametrize("changed", [{"is_live": False}, {"reason": "timed_out"}, {"state": "failed"}])
def test_a_verdict_that_they_do_not_give(engine, session_id, changed):
    change(engine, update(sessions).where(sessions.c.id == session_id).values(changed))
    assert "recorded" in reason(engine, session_id)


def test_a_challenge_that_passed_without_its_frames(engine, session_id):
    """As if a judgement had been lost and its outcome kept."""
    passed_at = select(challenges.c.passed_at).where(challenges.c.session_id == session_id, challenges.c.position == 0)
    change(engine, delete(frames).where(frames.c.session_id == session_id, frames.c.at == passed_at.scalar_subquery()))
    assert reason(engine, session_id)


def test_an_answer_that_was_never_due(engine, session_id):
    record = truth.read(engine, session_id)
    row = record.rows[3]
    told = codec.encode_result(dataclasses.replace(row.result, passed=True))
    change(engine, update(frames).where(frames.c.frame_id == row.frame.id).values(result=told))
    assert "frame 4" in reason(engine, session_id)


def test_a_session_that_the_clock_ended(engine):
    session = _opened(engine, timeout_seconds=2.0)
    for frame in SHOWN[:4]:
        session = _judged(engine, session.id, frame)
    with UnitOfWork(engine, on_end=nothing_else) as uow:
        session = uow.sessions.get(session.id, lock=True)
        session.tick(T0 + 60)
        uow.sessions.save(session)
        uow.commit()
    assert session.state is State.FAILED
    assert reason(engine, session.id) is None
