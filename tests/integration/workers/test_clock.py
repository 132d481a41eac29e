"""The clock: what happens without a frame."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy.exc import OperationalError

from shared.db import UnitOfWork
from shared.handoff.clean_up import Endings
from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence import Weighing
from shared.liveness.frame import Frame
from shared.liveness.observation import Observation
from shared.liveness.session import LONGEST_TRANSIT, Session, State
from shared.redis.client import make_redis
from tests.endings import nothing_else
from tests.integration.workers.service import ROOT, Service
from tests.waiting import PATIENCE, until
from workers import clock, lease, overdue_sessions
from workers.clock import REMEMBER, Chore, Clock, Retention, make_clock
from workers.lease import Lease
from workers.overdue_sessions import OverdueSessions

HOUR = 3600.0


@pytest.fixture
def retention(service: Service) -> Retention:
    return Retention(service.engine, nothing_else, retention=HOUR)


@pytest.fixture
def overdue(service: Service) -> OverdueSessions:
    return OverdueSessions(service.engine, nothing_else)


def state(service: Service, session_id: str) -> State:
    session = service.session(session_id)
    assert session is not None
    return session.state


def begin(service: Service, session_id: str, at: float) -> None:
    """Have a session's first clock start."""
    with UnitOfWork(service.engine) as uow:
        session = uow.sessions.get(session_id, lock=True)
        assert session is not None
        observation = Observation(0)
        result = session.submit("f", observation, at)
        session.challenges[0].started_at = at
        uow.sessions.save(session)
        uow.sessions.record(session_id, Frame("f", at, observation), result)
        uow.commit()


@contextmanager
def going(*clocks: Clock) -> Iterator[None]:
    threads = [threading.Thread(target=each.run) for each in clocks]
    for thread in threads:
        thread.start()
    yield
    for each in clocks:
        each.stop()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that looks often."""
    monkeypatch.setattr(clock, "TICK", 0.02)


def test_overdue_sessions_fail_or_expire_and_others_do_not(service, overdue):
    now = time.time()
    pending = service.open(at=now)
    begun = service.open(timeout=5, at=now)
    begin(service, begun, now)
    assert not overdue.end(now + 5 + LONGEST_TRANSIT - 0.1)
    assert (state(service, pending), state(service, begun)) == (State.PENDING, State.IN_PROGRESS)
    overdue.end(now + 5 + LONGEST_TRANSIT + 0.1)
    assert (state(service, pending), state(service, begun)) == (State.PENDING, State.FAILED)
    overdue.end(now + 301)
    assert (state(service, pending), state(service, begun)) == (State.EXPIRED, State.FAILED)


def test_more_than_a_batch_is_ended_too(service, overdue, monkeypatch):
    monkeypatch.setattr(overdue_sessions, "BATCH", 3)
    now = time.time()
    ids = [service.open(at=now - 400) for _ in range(7)]
    assert [overdue.end(now) for _ in range(3)] == [True, True, False]
    assert {state(service, session_id) for session_id in ids} == {State.EXPIRED}


def test_one_session_that_cannot_be_ended_does_not_hold_the_others_up(service, overdue, monkeypatch):
    now = time.time()
    ids = [service.open(at=now - 400 + n) for n in range(3)]
    tick = Session.tick

    def fail_for_the_first(session: Session, at: float, weighing: Weighing) -> None:
        if session.id == ids[0]:
            raise ValueError("a fault, as this test wants it")
        tick(session, at, weighing)

    monkeypatch.setattr(Session, "tick", fail_for_the_first)
    assert not overdue.end(now)
    assert [state(service, session_id) for session_id in ids] == [State.PENDING, State.EXPIRED, State.EXPIRED]


def test_measures_of_ended_sessions_are_forgotten_soon_and_their_rows_after_the_retention(service, retention, overdue):
    now = time.time()
    session_id = service.open(at=now, timeout=5.0)
    begin(service, session_id, now)
    overdue.end(now + 301)  # failed at the deadline of its challenge
    ended = now + 5
    retention.forget_frames(ended + REMEMBER - 1)
    assert service.frames_of(session_id) == 1
    retention.forget_frames(ended + REMEMBER + 1)
    assert service.frames_of(session_id) == 0
    retention.purge(ended + HOUR - 1)
    assert service.session(session_id) is not None
    retention.purge(ended + HOUR + 1)
    assert service.session(session_id) is None


def test_events_that_nobody_could_be_told_are_given_up_in_the_end(service):
    retention = Retention(service.engine, nothing_else, retention=HOUR, events_retention=HOUR)
    now = time.time()
    service.open(at=now - HOUR - 1)
    service.open(at=now)

    def told() -> int:
        with service.engine.connect() as connection:
            return connection.exec_driver_sql("SELECT count(*) FROM outbox").scalar()

    assert told() == 2
    assert not retention.give_up_events(now)
    assert told() == 1


@pytest.mark.usefixtures("quick")
def test_two_clocks_end_each_session_once(service):
    """With a lease that both hold: the row's lock is what counts."""
    now = time.time()
    ids = [service.open(ChallengeType.BLINK, at=now - 400) for _ in range(40)]
    both_are_here = threading.Barrier(2, timeout=PATIENCE)
    looks: list[str] = []

    class BothHold(Lease):
        def hold(self) -> bool:
            return True

    def make(name: str) -> Clock:
        overdue = OverdueSessions(service.engine, nothing_else)

        def end_overdue(now: float) -> bool:
            if name not in looks:
                both_are_here.wait()
            looks.append(name)
            return overdue.end(now)

        return Clock([Chore("end_overdue", 0.0, end_overdue)], BothHold(service.engine, "clock", HOUR))

    with going(make("first"), make("second")):
        until(lambda: all(looks.count(name) >= 3 for name in ("first", "second")))
    assert {state(service, session_id) for session_id in ids} == {State.EXPIRED}
    with service.engine.connect() as connection:
        told = connection.exec_driver_sql("SELECT count(*) FROM outbox WHERE type = 'session.expired'").scalar()
    assert told == 40


@pytest.mark.usefixtures("quick")
def test_one_of_two_clocks_does_the_work_and_the_other_takes_over(service):
    done: list[str] = []
    refused: list[str] = []

    def make(name: str) -> Clock:
        class Noted(Lease):
            def hold(self) -> bool:
                held = super().hold()
                if not held:
                    refused.append(name)
                return held

        chore = Chore("note", 0.0, lambda _: done.append(name) is not None)
        return Clock([chore], Noted(service.engine, "clock", HOUR))

    with going(make("first")):
        until(lambda: done)
        with going(make("second")):
            until(lambda: len(refused) >= 3)
    assert (set(done), set(refused)) == ({"first"}, {"second"})
    with going(make("third")):
        until(lambda: done[-1] == "third")


def test_without_redis_the_work_is_done_all_the_same(service):
    session_id = service.open(at=time.time() - 400)
    on_end = Endings(make_redis("redis://127.0.0.1:1/0"))
    chores = [Chore("end_overdue", 1.0, OverdueSessions(service.engine, on_end).end)]
    with going(Clock(chores, Lease(service.engine, "clock", 5))):
        until(lambda: state(service, session_id) == State.EXPIRED)


@pytest.mark.usefixtures("quick")
def test_a_chore_that_fails_stops_neither_the_others_nor_the_clock(service):
    done: list[float] = []

    def broken(now: float) -> bool:
        raise RuntimeError("a fault, as this test wants it")

    chores = [Chore("broken", 0.0, broken), Chore("note", 0.0, lambda now: done.append(now) is not None)]
    with going(Clock(chores, Lease(service.engine, "clock", HOUR))):
        until(lambda: len(done) >= 2)


def test_the_clock_of_the_service_has_all_its_chores(service):
    clock = make_clock(service.settings, service.engine)
    assert [chore.name for chore in clock._chores] == [
        "end_overdue",
        "forget_frames",
        "clear_deleted",
        "purge",
        "give_up_events",
        "purge_deliveries",
        "forget_told",
        "purge_trails",
        "empty_log",
    ]


@pytest.mark.parametrize("stop", ["terminate", "interrupt"])
def test_the_process_ends_sessions_and_stops_when_told(service, tmp_path, stop):
    import os
    import signal

    session_id = service.open(at=time.time() - 400)
    environment = os.environ | {
        name.upper(): str(value) for name, value in service.settings.model_dump(exclude_none=True).items()
    }
    with (tmp_path / "clock.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "workers.clock"], cwd=ROOT, env=environment, stderr=log)
    try:
        until(lambda: state(service, session_id) is State.EXPIRED or process.poll() is not None)
        assert process.poll() is None, (tmp_path / "clock.log").read_text()
        process.send_signal(signal.SIGTERM if stop == "terminate" else signal.SIGINT)
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()
    with service.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM leases").scalar() == 0


def test_a_lease_has_one_holder_until_it_lets_go_or_runs_out(service, monkeypatch):
    first, second = (Lease(service.engine, "clock", 100.0, renew_at=100.0) for _ in range(2))
    assert (first.hold(), second.hold(), first.hold()) == (True, False, True)
    second.release()  # not its own
    assert not second.hold()
    first.release()
    assert second.hold()
    assert 99 < second.left <= 100
    later = time.time() + 101
    monkeypatch.setattr(lease, "now", lambda: later)
    assert first.hold()


def test_a_lease_is_not_written_while_much_of_it_is_left(service):
    one = Lease(service.engine, "clock", 100.0)
    assert one.hold()
    with UnitOfWork(service.engine):  # holds SQLite's one write lock
        assert one.hold()


@pytest.mark.usefixtures("quick")
def test_without_the_database_a_clock_waits(service, monkeypatch):
    done: list[float] = []

    class Away(Lease):
        def hold(self) -> bool:
            raise OperationalError("SELECT 1", None, Exception("the database is away, as this test wants it"))

    with going(Clock([Chore("note", 0.0, lambda now: done.append(now) is not None)], Away(service.engine, "clock", 5))):
        time.sleep(0.2)
    assert done == []
