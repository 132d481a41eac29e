"""Other users of the machine cannot read what a start makes, nor what an earlier one made."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.run import environment, models, redis_server, up
from ops.run.private import make_private
from shared.db import make_engine
from shared.settings import Settings, get_settings

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A clone that an earlier version ran in: all that it made can be read by everyone."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name in (
        "var/log/install.log",
        "var/redis/redis.log",
        "var/liveness.db",
        "var/liveness.db-wal",
        "rows/rows.db",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "var" / "bin").mkdir()
    (tmp_path / "var" / "bin" / "redis-server").write_text("")
    (tmp_path / "var" / "bin" / "redis-server").chmod(0o755)
    (tmp_path / "elsewhere").write_text("not ours to change")
    (tmp_path / "var" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / ".env").write_text("DATABASE_URL=sqlite:///rows/rows.db\n")
    monkeypatch.chdir(tmp_path)
    for module in (up, environment):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(up, "VAR", tmp_path / "var")
    monkeypatch.setattr(models, "bring", lambda *_: None)
    monkeypatch.setattr(redis_server, "program_or_fail", lambda _: "redis-server")
    monkeypatch.setattr(sys, "argv", ["ops/up", "--setup-only"])
    get_settings.cache_clear()
    yield tmp_path
    get_settings.cache_clear()


def readable(directory: Path) -> set[str]:
    """What others can reach, by its path."""
    paths = [path for path in (directory, *directory.rglob("*")) if not path.is_symlink()]
    return {path.name for path in paths if stat.S_IMODE(path.stat().st_mode) & 0o077}


def test_a_start_tightens_what_is_there_and_makes_nothing_that_others_can_read(
    clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert readable(clone / "var")
    up.main()
    assert readable(clone / "var") == set()
    assert stat.S_IMODE((clone / "rows" / "rows.db").stat().st_mode) == 0o600, "DATABASE_URL names it"
    assert stat.S_IMODE((clone / "elsewhere").stat().st_mode) == 0o644, "behind a link"
    assert stat.S_IMODE((clone / "var" / "bin" / "redis-server").stat().st_mode) == 0o700, "still a program"
    assert "chmod 600 .env" in capsys.readouterr().out

    (clone / "var" / "new").write_text("by a program that it starts")
    redis_server.to_start("redis-server", clone / "var" / "another")
    engine = make_engine(f"sqlite:///{clone}/var/new.db")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE rows (id INTEGER)")
        assert readable(clone / "var") == set()
    engine.dispose()


def test_the_set_up_makes_its_directory_for_this_user_only(clone: Path) -> None:
    environment.main([])
    assert stat.S_IMODE((clone / "var").stat().st_mode) == 0o700


def test_the_launcher_itself_sets_the_umask_before_it_makes_anything() -> None:
    lines = (ROOT / "ops" / "up").read_text().splitlines()
    assert lines.index(next(line for line in lines if line.startswith("umask 077"))) < lines.index(
        next(line for line in lines if "ops.run.environment" in line)
    )


def test_what_belongs_to_others_or_is_gone_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "file").write_text("")

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "chmod", refuse)
    make_private(tmp_path / "var")
