"""Deleted rows are gone from SQLite's files, too: this looks into their bytes."""

from __future__ import annotations

import random
import sqlite3
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import Engine

from shared.db import UnitOfWork, make_engine
from shared.liveness.session import Session
from tests.endings import nothing_else
from tests.integration import schema
from tests.unit.db import samples
from workers.clock import REMEMBER, Retention, Trails

NOW = samples.NOW
HOUR = 3600.0


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = make_engine(f"sqlite:///{tmp_path}/rows.db")
    schema.upgrade(engine)
    return engine


def found(directory: Path, *marks: str) -> set[str]:
    """The marks that stand in any file. A program of its own reads: closing a file here would release SQLite's locks."""
    files = [str(path) for path in directory.glob("rows.db*")]
    data = subprocess.run(["cat", *files], capture_output=True, check=True).stdout
    assert len(data) > 100_000
    return {mark for mark in marks if mark.encode() in data}


def keep(engine: Engine, mark: str, count: int) -> list[Session]:
    """Store ended sessions of one owner, whose frames have ids with the mark, among sessions of others."""
    kept = []
    for number in range(count):
        session = samples.ended(NOW)
        session.owner = f"{mark}-owner"
        with UnitOfWork(engine, on_end=nothing_else) as uow:
            uow.sessions.add(session)
            for frame in range(3):
                uow.sessions.record(
                    session.id, samples.frame(NOW - 1, f"{mark}-frame-{number}-{frame}"), samples.result(session.id)
                )
            uow.commit()
        kept.append(session)
    return kept


def test_after_a_deletion_and_the_retention_nothing_is_left_in_the_files(engine: Engine, tmp_path: Path) -> None:
    deleted, staying = keep(engine, "deleted", 60), keep(engine, "staying", 60)
    sessions = Retention(engine, nothing_else, retention=HOUR)
    trails = Trails(engine, audit=HOUR, tombstones=HOUR, attempts=HOUR)
    marks = ["deleted-owner", "deleted-frame", "staying-owner", "staying-frame"]
    random.Random(7).shuffle(deleted)
    for session in deleted:
        with UnitOfWork(engine, on_end=nothing_else) as uow:
            assert uow.sessions.delete(session.id)
            uow.commit()
    trails.empty_log(NOW)
    assert found(tmp_path, *marks) == {"staying-owner", "staying-frame"}

    while sessions.forget_frames(NOW + REMEMBER + 1):
        pass
    trails.empty_log(NOW)
    assert found(tmp_path, *marks) == {"staying-owner"}

    while sessions.purge(NOW + HOUR + 1):
        pass
    while sessions.give_up_events(NOW + 8 * 24 * HOUR):
        pass
    while trails.purge(NOW + 2 * HOUR):
        pass
    trails.empty_log(NOW)
    assert found(tmp_path, *marks, *(session.id for session in staying)) == set()
    engine.dispose()


def test_what_an_older_version_deleted_is_overwritten_by_the_next_migration(tmp_path: Path) -> None:
    path = tmp_path / "rows.db"
    engine = make_engine(f"sqlite:///{path}")
    schema.upgrade(engine)
    keep(engine, "older", 60)
    engine.dispose()
    old = sqlite3.connect(path)
    old.execute("PRAGMA secure_delete = OFF")
    for table in ("frames", "challenges", "outbox", "sessions"):
        old.execute(f"DELETE FROM {table}")
    old.execute("PRAGMA user_version = 0")
    old.commit()
    old.close()
    assert found(tmp_path, "older-owner", "older-frame")

    engine = make_engine(f"sqlite:///{path}")
    schema.upgrade(engine)
    data = subprocess.run(["cat", str(path)], capture_output=True, check=True).stdout
    assert b"older-" not in data
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA user_version").scalar() == 1
    engine.dispose()
