from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, Table, event, func, select
from sqlalchemy.exc import StatementError

from shared.db import FrameMemory, UnitOfWork
from shared.db import sessions as sessions_module
from shared.db.codec import decode_observation as decoded
from shared.db.tables import challenges, frames, outbox, sessions
from shared.liveness.frame import Frame
from shared.liveness.observation import Observation
from shared.liveness.options import Options
from shared.liveness.session import LONGEST_TRANSIT, OPENING, WINDOW, Session, State
from tests.endings import nothing_else
from tests.unit.db import samples
from tests.unit.db.samples import NOW

#: The session's own fields; "challenges" and what is not stored in its row have tests of their own.
CHANGEABLE = sorted(
    {field.name for field in dataclasses.fields(Session)}
    - {"id", "created_at", "owner", "subject", "terms", "browser", "challenges", "frames", "events"}
)


def store(engine: Engine, *several: Session) -> None:
    with UnitOfWork(engine) as uow:
        for session in several:
            uow.sessions.add(session)
        uow.commit()


def load(engine: Engine, session_id: str) -> Session | None:
    with UnitOfWork(engine, read_only=True) as uow:
        return uow.sessions.get(session_id)


def count(engine: Engine, table: Table, *conditions: Any) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(table).where(*conditions)) or 0


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """The first word and the table of each statement that is sent meanwhile."""
    seen: list[str] = []

    def note(*arguments: Any) -> None:
        words = arguments[2].replace("\n", " ").split()
        seen.append(" ".join(words[:3]) if words[0] in ("INSERT", "DELETE") else " ".join(words[:2]))

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def writes(seen: list[str]) -> list[str]:
    return [statement for statement in seen if statement.split()[0] not in ("BEGIN", "SELECT")]


class TestASession:
    @pytest.mark.parametrize("make", [samples.full, samples.pending])
    def test_comes_back_as_it_went_in(self, engine: Engine, make: Any) -> None:
        session = make()
        store(engine, session)
        assert load(engine, session.id) == session

    @pytest.mark.parametrize("field", CHANGEABLE)
    def test_every_change_is_saved(self, engine: Engine, field: str) -> None:
        """Whatever field the domain changes."""
        session, other = samples.pending(), samples.full()
        assert getattr(session, field) != getattr(other, field)
        store(engine, session)
        with UnitOfWork(engine, on_end=nothing_else) as uow:
            loaded = uow.sessions.get(session.id, lock=True)
            assert loaded is not None
            setattr(loaded, field, getattr(other, field))
            uow.sessions.save(loaded)
            uow.commit()
        assert load(engine, session.id) == loaded

    def test_a_challenges_progress_is_saved_alone(self, engine: Engine) -> None:
        session = samples.pending()
        store(engine, session)
        with UnitOfWork(engine) as uow, statements(engine) as seen:
            loaded = uow.sessions.get(session.id, lock=True)
            assert loaded is not None
            second = loaded.challenges[1]
            second.passed_at, second.confidence = NOW + 4, 0.75
            uow.sessions.save(loaded)
            uow.commit()
        assert writes(seen) == ["UPDATE challenges"]
        assert load(engine, session.id) == loaded

    def test_the_challenge_that_starts_changes_when_the_session_is_due(self, engine: Engine) -> None:
        session = samples.pending()
        store(engine, session)
        with UnitOfWork(engine) as uow:
            loaded = uow.sessions.get(session.id, lock=True)
            assert loaded is not None
            loaded.challenges[0].started_at = NOW + 1
            uow.sessions.save(loaded)
            assert uow.sessions.overdue(NOW + 1 + 5 + LONGEST_TRANSIT - 0.01, 10) == []
            assert uow.sessions.overdue(NOW + 1 + 5 + LONGEST_TRANSIT + 0.01, 10) == [session.id]
            uow.commit()

    def test_without_a_lock_cannot_be_saved(self, engine: Engine) -> None:
        session = samples.pending()
        store(engine, session)
        with UnitOfWork(engine) as uow:
            loaded = uow.sessions.get(session.id)
            assert loaded is not None
            with pytest.raises(RuntimeError, match="lock=True"):
                uow.sessions.save(loaded)

    def test_of_another_unit_cannot_be_saved(self, engine: Engine) -> None:
        session = samples.pending()
        store(engine, session)
        with UnitOfWork(engine) as uow, pytest.raises(RuntimeError, match="lock=True"):
            uow.sessions.save(session)

    def test_unknown_ones(self, engine: Engine) -> None:
        with UnitOfWork(engine) as uow:
            assert uow.sessions.get(samples.new_id()) is None
            assert uow.sessions.get("x" * 5000, lock=True) is None
            assert uow.sessions.delete(samples.new_id()) is False
            assert uow.sessions.answer_of(samples.new_id(), samples.new_id()) is None

    def test_deleted_goes_with_all_that_is_its_own(self, engine: Engine) -> None:
        session, other = samples.pending(), samples.pending()
        store(engine, session, other)
        with UnitOfWork(engine, on_end=nothing_else) as uow:
            for of in (session, other):
                uow.sessions.record(of.id, samples.frame(), samples.result(of.id))
            loaded = uow.sessions.get(session.id, lock=True)
            assert loaded is not None
            loaded.cancel(NOW + 2)
            uow.sessions.save(loaded)
            assert uow.sessions.delete(session.id) is True
            uow.commit()
        assert load(engine, session.id) is None
        assert (count(engine, sessions), count(engine, challenges), count(engine, frames)) == (1, 3, 1)
        assert count(engine, outbox, outbox.c.session_id == session.id, outbox.c.type == "session.cancelled") == 1

    def test_a_finding_is_saved_as_json_that_can_be_asked_for(self, engine: Engine) -> None:
        session = samples.pending()
        store(engine, session)
        with UnitOfWork(engine) as uow, statements(engine) as seen:
            loaded = uow.sessions.get(session.id, lock=True)
            assert loaded is not None
            loaded.findings += samples.findings()
            uow.sessions.save(loaded)
            uow.sessions.save(loaded)
            uow.commit()
        assert writes(seen) == ["UPDATE sessions"]
        with engine.connect() as connection:
            assert connection.scalar(select(sessions.c.findings)) == [
                {"code": "flat", "score": 1 / 3, "challenge": 0, "bits": -2 / 3},
                {"code": "cut", "score": 0.0, "challenge": 1, "bits": None},
                {"code": "swapped", "score": 0.7, "challenge": None, "bits": None},
            ]

    def test_a_change_within_what_is_known_of_the_identity_is_saved(self, engine: Engine) -> None:
        session = samples.full()
        store(engine, session)
        with UnitOfWork(engine) as uow, statements(engine) as seen:
            loaded = uow.sessions.get(session.id, lock=True)
            assert loaded is not None
            assert loaded.identity is not None
            loaded.identity.samples[1].distance = 2 / 3
            uow.sessions.save(loaded)
            uow.commit()
        assert writes(seen) == ["UPDATE sessions"]
        assert load(engine, session.id) == loaded

    def test_without_an_identity_there_is_no_value(self, engine: Engine) -> None:
        """NULL, and not JSON's null."""
        store(engine, samples.pending())
        assert count(engine, sessions, sessions.c.identity.is_(None)) == 1

    def test_options_of_another_version_are_read(self, engine: Engine) -> None:
        """Missing ones have their defaults, and unknown ones are passed over."""
        session = samples.pending()
        store(engine, session)
        for options in ({}, {"added_later": True}):
            with engine.begin() as connection:
                connection.execute(sessions.update().values(options=options))
            assert load(engine, session.id) == session
        with engine.begin() as connection:
            connection.execute(sessions.update().values(options={"pauses": [0.5, 2 / 3], "added_later": True}))
        assert getattr(load(engine, session.id), "options", None) == Options(pauses=(0.5, 2 / 3))


class TestAFrame:
    def test_comes_back_as_it_went_in(self, engine: Engine) -> None:
        session, frame = samples.pending(), samples.frame(NOW + 1)
        store(engine, session)
        with UnitOfWork(engine) as uow:
            assert uow.sessions.record(session.id, frame, samples.result(session.id)) is True
            uow.commit()
        with UnitOfWork(engine, read_only=True) as uow:
            loaded = uow.sessions.get(session.id)
            assert loaded is not None
            assert loaded.frames == []
            uow.sessions.load_frames(loaded, NOW + 2)
            assert loaded.frames == [frame]
            assert uow.sessions.answer_of(session.id, frame.id) == samples.result(session.id)

    def test_counts_once(self, engine: Engine) -> None:
        """The first answer stands."""
        session, frame = samples.pending(), samples.frame()
        store(engine, session)
        first = samples.result(session.id)
        for result, recorded in ((first, True), (dataclasses.replace(first, passed=False), False)):
            with UnitOfWork(engine) as uow:
                assert uow.sessions.record(session.id, frame, result) is recorded
                assert uow.sessions.answer_of(session.id, frame.id) == first
                uow.commit()
        assert count(engine, frames) == 1

    def test_of_the_same_id_in_another_session_is_another(self, engine: Engine) -> None:
        one, two, frame = samples.pending(), samples.pending(), samples.frame()
        store(engine, one, two)
        with UnitOfWork(engine) as uow:
            assert uow.sessions.record(one.id, frame, samples.result(one.id))
            assert uow.sessions.answer_of(two.id, frame.id) is None
            assert uow.sessions.record(two.id, frame, samples.result(two.id))

    def test_that_changes_nothing_writes_its_own_row_only(self, engine: Engine) -> None:
        session = samples.pending()
        session.findings, session.options = samples.findings(), Options(pauses=(0.5, 2 / 3))
        session.identity = samples.identity()
        session.events.clear()
        store(engine, session)
        with UnitOfWork(engine) as uow, statements(engine) as seen:
            loaded = uow.sessions.get(session.id, lock=True)
            assert loaded is not None
            uow.sessions.load_frames(loaded, NOW)
            uow.sessions.save(loaded)
            uow.sessions.record(session.id, samples.frame(), samples.result(session.id))
            uow.commit()
        assert writes(seen) == ["INSERT INTO frames"]
        assert len(seen) == 4  # the session, its challenges, its frames, the new one


class TestRecall:
    """Which frames are brought, and in which order."""

    @staticmethod
    def recalled(engine: Engine, session: Session, times: list[float], at: float) -> list[float]:
        store(engine, session)
        with UnitOfWork(engine) as uow:
            for index, moment in enumerate(times):
                frame = Frame(f"f{index}", moment, Observation(faces=1))
                uow.sessions.record(session.id, frame, samples.result(session.id))
            uow.sessions.load_frames(session, at)
        return [frame.at - NOW for frame in session.frames]

    def test_the_opening_and_the_last_seconds_in_order_of_arrival(self, engine: Engine) -> None:
        session = samples.pending()
        session.challenges[0].started_at, session.challenges[0].passed_at = NOW + 5, NOW + 60
        session.challenges[1].started_at = NOW + 60
        until, since = session.frames_needed(NOW + 61)
        times = [NOW + 61.5, until, until + 0.5, since - 0.5, since, NOW + 1, NOW + 60.5]
        assert self.recalled(engine, session, times, NOW + 61) == [1, until - NOW, since - NOW, 60.5, 61.5]

    def test_a_frame_of_both_comes_once(self, engine: Engine) -> None:
        session = samples.pending()
        session.challenges[0].started_at = NOW
        times = [NOW + 1, NOW + OPENING + 1]
        assert self.recalled(engine, session, times, NOW + OPENING + 1) == [1, OPENING + 1]

    def test_too_many_new_frames_do_not_push_the_opening_out(
        self, engine: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        session = samples.pending()
        session.challenges[0].started_at = NOW
        flood = [NOW + OPENING + 1 + i / 100 for i in range(sessions_module.RECENT_FRAMES + 50)]
        recalled = self.recalled(engine, session, [NOW + 1, *flood], NOW + 8)
        assert recalled[0] == 1
        assert len(recalled) == 1 + sessions_module.RECENT_FRAMES
        assert recalled[-1] == flood[-1] - NOW

    def test_a_long_wait_for_a_face_is_not_brought_whole(self, engine: Engine) -> None:
        session = samples.pending()
        times = [NOW + i / 10 for i in range(sessions_module.OPENING_FRAMES + 50)]
        recalled = self.recalled(engine, session, times, NOW + 20)
        assert len(recalled) == sessions_module.OPENING_FRAMES
        assert recalled[-1] == times[-1] - NOW

    def test_frames_of_others_stay_with_them(self, engine: Engine) -> None:
        session, other = samples.pending(), samples.pending()
        store(engine, other)
        with UnitOfWork(engine) as uow:
            uow.sessions.record(other.id, samples.frame(), samples.result(other.id))
            uow.commit()
        assert self.recalled(engine, session, [], NOW) == []


class TestTheOutbox:
    def test_gets_what_happened_with_the_change(self, engine: Engine) -> None:
        session = samples.pending()
        store(engine, session)
        assert session.events == []
        with UnitOfWork(engine) as uow:
            loaded = uow.sessions.get(session.id, lock=True)
            assert loaded is not None
            loaded.state = State.IN_PROGRESS
            loaded.events += [samples.event("session.started"), samples.event("session.challenge_passed")]
            uow.sessions.save(loaded)
            assert loaded.events == []
            uow.sessions.save(loaded)
            uow.commit()
        with engine.connect() as connection:
            rows = connection.execute(select(outbox).order_by(outbox.c.id)).all()
        assert [row.type for row in rows] == ["session.created", "session.started", "session.challenge_passed"]
        assert {row.session_id for row in rows} == {session.id}
        assert len({row.event_id for row in rows}) == 3
        assert rows[0].data["challenges"] == ["TURN_LEFT", "BLINK", "SMILE"]
        assert (rows[1].at, rows[1].data) == (NOW + 1, samples.event().data)
        assert {row.published_at for row in rows} == {None}

    def test_gets_nothing_of_what_was_rolled_back(self, engine: Engine) -> None:
        session = samples.pending()
        store(engine, session)
        with UnitOfWork(engine) as uow:
            loaded = uow.sessions.get(session.id, lock=True)
            assert loaded is not None
            loaded.state = State.FAILED
            loaded.events.append(samples.event("session.failed"))
            uow.sessions.save(loaded)
        assert count(engine, outbox) == 1
        assert getattr(load(engine, session.id), "state", None) is State.PENDING

    def test_nothing_changes_when_it_cannot_be_written(self, engine: Engine) -> None:
        session = samples.pending()
        store(engine, session)
        with UnitOfWork(engine) as uow:
            loaded = uow.sessions.get(session.id, lock=True)
            assert loaded is not None
            loaded.state = State.FAILED
            loaded.events.append(dataclasses.replace(samples.event(), data={"no JSON": object()}))
            with pytest.raises((StatementError, TypeError), match="not JSON serializable"):
                uow.sessions.save(loaded)
        assert getattr(load(engine, session.id), "state", None) is State.PENDING


class TestSweeps:
    def test_overdue_ones_the_longest_first(self, engine: Engine) -> None:
        a, b, c = (samples.pending(NOW, ttl=ttl) for ttl in (30.0, 10.0, 20.0))
        store(engine, a, b, c, samples.ended(NOW))
        with UnitOfWork(engine, read_only=True) as uow:
            assert uow.sessions.overdue(NOW + 9.9, 10) == []
            assert uow.sessions.overdue(NOW + 20, 10) == [b.id, c.id]
            assert uow.sessions.overdue(NOW + 99, 2) == [b.id, c.id]

    def test_one_that_was_ended_is_not_overdue_again(self, engine: Engine) -> None:
        session = samples.pending(NOW, ttl=10)
        store(engine, session)
        with UnitOfWork(engine, on_end=nothing_else) as uow:
            loaded = uow.sessions.get(session.id, lock=True)
            assert loaded is not None
            loaded.tick(NOW + 11)
            uow.sessions.save(loaded)
            uow.commit()
        with UnitOfWork(engine, read_only=True) as uow:
            assert uow.sessions.overdue(NOW + 999, 10) == []

    def test_a_due_of_another_version_is_put_right(self, engine: Engine) -> None:
        """Else the sweep would find a session for ever that `tick` does not end yet."""
        session = samples.pending()
        store(engine, session)
        with engine.begin() as connection:
            connection.execute(sessions.update().values(due=NOW - 5))
        with UnitOfWork(engine) as uow:
            assert uow.sessions.overdue(NOW, 10) == [session.id]
            loaded = uow.sessions.get(session.id, lock=True)
            assert loaded is not None
            loaded.tick(NOW)
            uow.sessions.save(loaded)
            assert uow.sessions.overdue(NOW, 10) == []

    def test_frames_of_ended_sessions_are_forgotten_in_batches(self, engine: Engine) -> None:
        old = [samples.ended(NOW + i) for i in range(3)]
        kept = [samples.ended(NOW + 70), samples.pending()]
        store(engine, *old, *kept)
        with UnitOfWork(engine, on_end=nothing_else) as uow:
            for session in (*old, *kept):
                for _ in range(2):
                    uow.sessions.record(session.id, samples.frame(), samples.result(session.id))
            uow.commit()
        for forgotten in (2, 1, 0):
            with UnitOfWork(engine, on_end=nothing_else) as uow:
                assert uow.sessions.forget_frames(NOW + 60, limit=2) == forgotten
                uow.commit()
        assert count(engine, frames) == 4
        assert count(engine, frames, frames.c.session_id.in_([s.id for s in kept])) == 4
        assert count(engine, sessions) == 5

    def test_ended_sessions_are_purged_in_batches_with_their_dependents(self, engine: Engine) -> None:
        old = [samples.ended(NOW + i) for i in range(3)]
        kept = [samples.ended(NOW + 70), samples.pending()]
        store(engine, *old, *kept)
        with UnitOfWork(engine, on_end=nothing_else) as uow:
            for session in (*old, *kept):
                uow.sessions.record(session.id, samples.frame(), samples.result(session.id))
            uow.commit()
        for purged in (2, 1, 0):
            with UnitOfWork(engine, on_end=nothing_else) as uow:
                assert uow.sessions.purge(NOW + 60, limit=2) == purged
                uow.commit()
        for table, rows in ((sessions, 2), (challenges, 6), (frames, 2)):
            assert count(engine, table) == rows

    def test_published_events_are_purged_and_others_are_not(self, engine: Engine) -> None:
        store(engine, *(samples.pending() for _ in range(3)))
        with engine.begin() as connection:
            connection.execute(outbox.update().where(outbox.c.id == 1).values(published_at=NOW))
            connection.execute(outbox.update().where(outbox.c.id == 2).values(published_at=NOW + 70))
        with UnitOfWork(engine) as uow:
            assert uow.sessions.purge(NOW + 60) == 0
            uow.commit()
        with engine.connect() as connection:
            assert connection.scalars(select(outbox.c.id).order_by(outbox.c.id)).all() == [2, 3]

    @pytest.mark.parametrize("url", ["postgresql"], indirect=True)
    def test_two_clocks_do_not_wait_for_each_other(self, engine: Engine) -> None:
        store(engine, *(samples.ended(NOW + i) for i in range(4)))
        with UnitOfWork(engine, on_end=nothing_else) as one, UnitOfWork(engine, on_end=nothing_else) as two:
            assert one.sessions.purge(NOW + 60, limit=3) == 3
            assert two.sessions.purge(NOW + 60, limit=3) == 1
            one.commit()
            two.commit()
        assert count(engine, sessions) == 0

    def test_what_the_sweeps_look_for_is_indexed(self, engine: Engine) -> None:
        """Each of them runs every few seconds over a day of sessions."""
        store(engine, *(samples.ended(NOW + i) for i in range(30)))
        with engine.begin() as connection:
            explain = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            for column in ("due", "forget_from", "ended_at"):
                plan = connection.exec_driver_sql(
                    f"{explain} SELECT id FROM sessions WHERE {column} < 1.5 ORDER BY {column} LIMIT 5"
                ).all()
                assert f"ix_sessions_{column}" in str(plan)


class TestRecallFromMemory:
    """What a process has read before is not read again, and it recalls what it would have read."""

    @staticmethod
    def opened(engine: Engine) -> Session:
        session = samples.pending()
        session.challenges[0].started_at = NOW
        store(engine, session)
        return session

    @staticmethod
    def add(engine: Engine, session: Session, *times: float) -> None:
        with UnitOfWork(engine) as uow:
            for at in times:
                frame = Frame(f"f{at}", NOW + at, Observation(faces=1))
                uow.sessions.record(session.id, frame, samples.result(session.id))
            uow.commit()

    @staticmethod
    def recall(engine: Engine, session: Session, at: float, memory: FrameMemory) -> int:
        """How many frames were read for it. As without a memory, or this fails."""
        with UnitOfWork(engine) as uow:
            uow.sessions.load_frames(session, NOW + at)
            expected = session.frames
            with pytest.MonkeyPatch.context() as patch:
                read: list[bytes] = []
                patch.setattr(
                    sessions_module.codec, "decode_observation", lambda data: read.append(data) or decoded(data)
                )
                uow.sessions.load_frames(session, NOW + at, memory)
        assert session.frames == expected
        return len(read)

    def test_reads_only_what_is_new(self, engine: Engine) -> None:
        session, memory = self.opened(engine), FrameMemory()
        assert self.recall(engine, session, 0, memory) == 0
        self.add(engine, session, 0, 0.1)
        assert self.recall(engine, session, 0.2, memory) == 2
        self.add(engine, session, 0.2)
        assert self.recall(engine, session, 0.3, memory) == 1
        assert self.recall(engine, session, 0.3, memory) == 0

    def test_a_frame_that_was_overtaken_is_seen(self, engine: Engine) -> None:
        """Another process judged an earlier one meanwhile."""
        session, memory = self.opened(engine), FrameMemory()
        self.add(engine, session, 0, 0.2)
        self.recall(engine, session, 0.3, memory)
        self.add(engine, session, 0.1, 0.3)
        assert self.recall(engine, session, 0.4, memory) == 1 + 4  # the newer one, then all
        self.add(engine, session, 0.4)
        assert self.recall(engine, session, 0.5, memory) == 1

    def test_what_a_session_adds_to_its_own_is_not_remembered(self, engine: Engine) -> None:
        """A unit that is not committed has judged nothing."""
        session, memory = self.opened(engine), FrameMemory()
        self.add(engine, session, 0)
        for _ in range(2):  # from the database, then from memory
            self.recall(engine, session, 0.1, memory)
            session.frames.append(samples.frame(NOW + 0.1))
        assert self.recall(engine, session, 0.1, memory) == 0

    def test_an_earlier_frame_than_the_last_needs_others(self, engine: Engine) -> None:
        """Its window begins earlier."""
        session, memory = self.opened(engine), FrameMemory()
        self.add(engine, session, 0, OPENING + 1, OPENING + 2, WINDOW + OPENING + 1.5)
        self.recall(engine, session, 0.1, memory)
        session.challenges[0].passed_at, session.challenges[1].started_at = NOW + 4, NOW + WINDOW + OPENING
        self.recall(engine, session, WINDOW + OPENING + 2, memory)
        self.recall(engine, session, OPENING + 2, memory)

    def test_more_than_are_recalled_are_not_all_of_them(self, engine: Engine) -> None:
        session, memory = self.opened(engine), FrameMemory()
        flood = [OPENING + 1 + i / 100 for i in range(sessions_module.RECENT_FRAMES + 10)]
        self.add(engine, session, *flood)
        for _ in range(2):
            assert self.recall(engine, session, 8, memory) == sessions_module.RECENT_FRAMES

    def test_many_new_ones_at_once(self, engine: Engine) -> None:
        session, memory = self.opened(engine), FrameMemory()
        self.recall(engine, session, 0, memory)
        self.add(engine, session, *(OPENING + 1 + i / 100 for i in range(sessions_module.RECENT_FRAMES + 10)))
        self.recall(engine, session, 8, memory)
