from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest

from shared.db import make_engine, truncate_log


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_goes_through_psycopg(scheme: str) -> None:
    engine = make_engine(f"{scheme}://user:secret@host/rows?sslmode=require")
    assert engine.url.drivername == "postgresql+psycopg"
    assert engine.url.render_as_string(hide_password=False).endswith("://user:secret@host/rows?sslmode=require")


def test_sqlites_directory_is_made(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/deep/er/rows.db")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 3000
        assert connection.exec_driver_sql("PRAGMA secure_delete").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA temp_store").scalar() == 2
    engine.dispose()


def test_a_new_sqlite_file_is_for_its_user_only(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        engine = make_engine(f"sqlite:///{tmp_path}/deep/er/rows.db")
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE rows (id INTEGER)")
            found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "deep" / "er").iterdir()}
        engine.dispose()
    finally:
        os.umask(before)
    assert found == {"rows.db": 0o600, "rows.db-wal": 0o600, "rows.db-shm": 0o600}
    assert stat.S_IMODE((tmp_path / "deep" / "er").stat().st_mode) == 0o700


def test_the_log_is_truncated_while_nobody_reads_and_else_later(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/rows.db")
    log = tmp_path / "rows.db-wal"
    assert truncate_log(engine), "there is none"
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE rows (id INTEGER)")
    with engine.connect() as reader:
        reader.exec_driver_sql("SELECT * FROM rows").all()
        began = time.monotonic()
        assert not truncate_log(engine)
        assert time.monotonic() - began < 2, "others would wait for as long"
    assert log.stat().st_size
    assert truncate_log(engine)
    assert not log.stat().st_size
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 3000
    engine.dispose()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://host/rows"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"sqlite:///var|must begin"):
        make_engine(url)
