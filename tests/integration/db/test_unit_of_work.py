from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from shared.db import UnitOfWork, make_engine
from shared.db import engine as engine_module
from shared.liveness.session import Session, State
from tests.endings import nothing_else
from tests.unit.db import samples


@pytest.fixture
def stored(engine: Engine) -> Session:
    session = samples.pending()
    with UnitOfWork(engine) as uow:
        uow.sessions.add(session)
        uow.commit()
    return session


@pytest.fixture
def impatient(url: str, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Another process's engine on the same rows, that waits 0.2 seconds for a lock."""
    monkeypatch.setattr(engine_module, "LOCK_TIMEOUT", 0.2)
    other = make_engine(url)
    yield other
    other.dispose()


def state(engine: Engine, session_id: str) -> State | None:
    with UnitOfWork(engine, read_only=True) as uow:
        session = uow.sessions.get(session_id)
    return None if session is None else session.state


def fail_within_a_unit(engine: Engine, session: Session) -> None:
    with UnitOfWork(engine) as uow:
        uow.sessions.add(session)
        raise ZeroDivisionError


def test_rolls_back_by_default(engine: Engine) -> None:
    session = samples.pending()
    with UnitOfWork(engine) as uow:
        uow.sessions.add(session)
    assert state(engine, session.id) is None


def test_rolls_back_on_an_error(engine: Engine) -> None:
    session = samples.pending()
    with pytest.raises(ZeroDivisionError):
        fail_within_a_unit(engine, session)
    assert state(engine, session.id) is None


def test_commits_when_told(engine: Engine) -> None:
    session = samples.pending()
    with UnitOfWork(engine) as uow:
        uow.sessions.add(session)
        uow.commit()
    assert state(engine, session.id) is State.PENDING


def test_nothing_can_be_done_after_the_commit(engine: Engine, stored: Session) -> None:
    """It would be rolled back without a word."""
    with UnitOfWork(engine) as uow:
        uow.commit()
        with pytest.raises(RuntimeError, match="not open"):
            uow.sessions.delete(stored.id)
        with pytest.raises(RuntimeError, match="committed once"):
            uow.commit()


def test_is_of_no_use_outside_its_with_block(engine: Engine) -> None:
    uow = UnitOfWork(engine)
    with pytest.raises(RuntimeError, match="not open"):
        uow.sessions.get("x")
    with pytest.raises(RuntimeError, match="inside its with block"):
        uow.commit()


def test_read_only_cannot_commit_or_lock(engine: Engine, stored: Session) -> None:
    with UnitOfWork(engine, read_only=True) as uow:
        with pytest.raises(RuntimeError, match="nothing to commit"):
            uow.commit()
        with pytest.raises(RuntimeError, match="cannot lock"):
            uow.sessions.get(stored.id, lock=True)


def test_a_connection_that_was_read_only_can_write_again(url: str, engine: Engine) -> None:
    one = make_engine(url, pool_size=1)
    session = samples.pending()
    with UnitOfWork(one, read_only=True) as uow:
        uow.sessions.get(session.id)
    with UnitOfWork(one) as uow:
        uow.sessions.add(session)
        uow.commit()
    one.dispose()
    assert state(engine, session.id) is State.PENDING


def test_reading_waits_for_no_writer(engine: Engine, impatient: Engine, stored: Session) -> None:
    with UnitOfWork(engine) as writer:
        session = writer.sessions.get(stored.id, lock=True)
        assert session is not None
        session.state = State.FAILED
        writer.sessions.save(session)
        assert state(impatient, stored.id) is State.PENDING
        writer.commit()
    assert state(impatient, stored.id) is State.FAILED


def test_writing_waits_for_no_reader_and_a_reader_sees_one_moment(
    engine: Engine, impatient: Engine, stored: Session
) -> None:
    with UnitOfWork(engine, read_only=True) as reader:
        assert reader.sessions.get(stored.id) is not None
        with UnitOfWork(impatient, on_end=nothing_else) as writer:
            assert writer.sessions.delete(stored.id)
            writer.commit()
        assert reader.sessions.get(stored.id) is not None
    assert state(engine, stored.id) is None


def test_a_lock_is_not_waited_for_for_ever(engine: Engine, impatient: Engine, stored: Session) -> None:
    with UnitOfWork(engine) as holder:
        holder.sessions.get(stored.id, lock=True)
        begun = time.monotonic()
        with pytest.raises(OperationalError), UnitOfWork(impatient) as waiting:
            waiting.sessions.get(stored.id, lock=True)
        assert 0.1 < time.monotonic() - begun < 2


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_different_sessions_do_not_wait_for_each_other(engine: Engine, impatient: Engine, stored: Session) -> None:
    other = samples.pending()
    with UnitOfWork(engine) as uow:
        uow.sessions.add(other)
        uow.commit()
    with UnitOfWork(engine) as one, UnitOfWork(impatient) as two:
        assert one.sessions.get(stored.id, lock=True) is not None
        assert two.sessions.get(other.id, lock=True) is not None


def test_an_error_tells_no_measures(engine: Engine) -> None:
    with UnitOfWork(engine) as uow, pytest.raises(SQLAlchemyError) as raised:
        uow.sessions.record(samples.new_id(), samples.frame(), samples.result("a"))  # no such session
    assert "observation=" not in str(raised.value)
    assert "points" not in str(raised.value)
