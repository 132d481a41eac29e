"""Several workers at once, each with an engine of its own, as processes have."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from sqlalchemy import Engine, func, select

from shared.db import UnitOfWork, make_engine
from shared.db.tables import frames, outbox
from shared.liveness.session import State
from tests.endings import nothing_else
from tests.unit.db import samples
from tests.unit.db.samples import NOW

WORKERS = 3
ROUNDS = 15


def at_once(url: str, work: Callable[[Engine, int], None]) -> None:
    """Run `work(engine, number)` in each worker, all beginning together; raises what one of them raised."""
    barrier = Barrier(WORKERS)

    def run(number: int) -> None:
        engine = make_engine(url)
        try:
            barrier.wait(timeout=10)
            work(engine, number)
        finally:
            engine.dispose()

    with ThreadPoolExecutor(WORKERS) as pool:
        for future in [pool.submit(run, number) for number in range(WORKERS)]:
            future.result(timeout=60)


def test_no_update_is_lost(engine: Engine, url: str) -> None:
    """Each unit adds to what it read of the session's row and of a challenge's; none overwrites another's."""
    session = samples.pending()
    session.challenges[1].confidence = 0.0
    session.started_at = 0.0
    with UnitOfWork(engine) as uow:
        uow.sessions.add(session)
        uow.commit()

    def count_up(engine: Engine, number: int) -> None:
        for _ in range(ROUNDS):
            with UnitOfWork(engine) as uow:
                loaded = uow.sessions.get(session.id, lock=True)
                assert loaded is not None
                assert loaded.started_at is not None
                assert loaded.challenges[1].confidence is not None
                time.sleep(0.002)  # long enough for the others to read, if they could
                loaded.started_at += 1
                loaded.challenges[1].confidence += 1
                loaded.events.append(samples.event())
                uow.sessions.save(loaded)
                uow.commit()

    at_once(url, count_up)
    with UnitOfWork(engine, read_only=True) as uow:
        after = uow.sessions.get(session.id)
    assert after is not None
    assert after.started_at == WORKERS * ROUNDS
    assert after.challenges[1].confidence == WORKERS * ROUNDS
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(outbox)) == 1 + WORKERS * ROUNDS


def test_a_new_sqlite_file_is_opened_by_all_of_them(tmp_path: Path) -> None:
    """SQLite's change to WAL fails at once when two do it, and ignores the busy timeout."""

    def write(engine: Engine, number: int) -> None:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"CREATE TABLE table_{number} (x)")

    for turn in range(60):
        at_once(f"sqlite:///{tmp_path}/{turn}.db", write)


def test_a_frame_that_is_delivered_to_all_of_them_is_judged_once(engine: Engine, url: str) -> None:
    session, delivered = samples.pending(), [samples.frame(NOW + i) for i in range(ROUNDS)]
    with UnitOfWork(engine) as uow:
        uow.sessions.add(session)
        uow.commit()
    judged: list[str] = []

    def work(engine: Engine, number: int) -> None:
        for frame in delivered:
            with UnitOfWork(engine) as uow:
                loaded = uow.sessions.get(session.id, lock=True)
                assert loaded is not None
                if uow.sessions.answer_of(session.id, frame.id) is None:
                    uow.sessions.load_frames(loaded, frame.at)
                    judged.append(frame.id)
                    assert uow.sessions.record(session.id, frame, samples.result(session.id))
                uow.commit()

    at_once(url, work)
    assert sorted(judged) == sorted(frame.id for frame in delivered)
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(frames)) == ROUNDS


def test_two_clocks_end_a_session_once(engine: Engine, url: str) -> None:
    overdue = [samples.pending(NOW, ttl=10) for _ in range(ROUNDS)]
    with UnitOfWork(engine) as uow:
        for session in overdue:
            uow.sessions.add(session)
        uow.commit()

    def sweep(engine: Engine, number: int) -> None:
        with UnitOfWork(engine, read_only=True) as uow:
            ids = uow.sessions.overdue(NOW + 11, 100)
        for session_id in ids:
            with UnitOfWork(engine, on_end=nothing_else) as uow:
                session = uow.sessions.get(session_id, lock=True)
                assert session is not None
                session.tick(NOW + 11)
                uow.sessions.save(session)
                uow.commit()

    at_once(url, sweep)
    with UnitOfWork(engine, read_only=True) as uow:
        states = [getattr(uow.sessions.get(session.id), "state", None) for session in overdue]
    assert states == [State.EXPIRED] * ROUNDS
    with engine.connect() as connection:
        expired = select(func.count()).select_from(outbox).where(outbox.c.type == "session.expired")
        assert connection.scalar(expired) == ROUNDS


def test_cancelled_while_frames_are_judged(engine: Engine, url: str) -> None:
    """No frame is left over, and no worker sees an error."""
    session = samples.pending()
    with UnitOfWork(engine) as uow:
        uow.sessions.add(session)
        uow.commit()

    def work(engine: Engine, number: int) -> None:
        for turn in range(ROUNDS):
            with UnitOfWork(engine, on_end=nothing_else) as uow:
                loaded = uow.sessions.get(session.id, lock=True)
                if loaded is None:
                    return
                if number == 0 and turn == ROUNDS // 2:
                    uow.sessions.delete(session.id)
                else:
                    uow.sessions.record(session.id, samples.frame(), samples.result(session.id))
                uow.commit()

    at_once(url, work)
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(frames)) == 0
