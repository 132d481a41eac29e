"""`ops/keys`, as an operator types it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from ops.run import keys
from shared import api_keys
from shared.db import UnitOfWork
from shared.db.trail import Action
from shared.settings import get_settings

ROOT = Path(__file__).parents[3]


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command in this process: a new one imports for longer than it works."""

    def run(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        monkeypatch.setenv("DATABASE_URL", url)
        get_settings.cache_clear()
        status: int | str | None = 0
        try:
            keys.main(list(arguments))
        except SystemExit as ended:
            status = ended.code
        finally:
            get_settings.cache_clear()
        told = capsys.readouterr()
        assert isinstance(status, int)
        return subprocess.CompletedProcess(arguments, status, told.out, told.err)

    return run


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_the_script_gives_the_command_its_arguments_and_its_surroundings(engine: Engine, url: str) -> None:
    def typed(*arguments: str) -> subprocess.CompletedProcess[str]:
        command, environment = [ROOT / "ops" / "keys", *arguments], os.environ | {"DATABASE_URL": url}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)

    made = typed("create", "--name", "our backend")
    assert made.returncode == 0, made.stderr
    with UnitOfWork(engine, read_only=True) as uow:
        assert [(key.id, key.name) for key in uow.keys.all()] == [(api_keys.id_of(made.stdout.strip()), "our backend")]
    assert typed("revoke", "nonsense").returncode == 2


def test_a_key_s_life(engine: Engine, url: str, run: Run) -> None:
    made = run(url, "create", "--name", "our backend")
    assert made.returncode == 0, made.stderr
    given = made.stdout.strip()
    assert made.stdout == given + "\n", "the key and nothing else, so that $(…) takes it"
    assert "It is the first" in made.stderr
    assert given not in made.stderr
    app = run(url, "create", "--role", "client").stdout.strip()
    with UnitOfWork(engine, read_only=True) as uow:
        assert [
            (key.role.value, key.name, key.opens(shown, time.time()))
            for key, shown in zip(uow.keys.all(), (given, app), strict=True)
        ] == [
            ("server", "our backend", True),
            ("client", "", True),
        ]
    listed = run(url, "list").stdout
    assert "our backend" in listed
    assert given.split("_", 2)[2] not in listed, "the secret, which may hold an underscore itself"
    assert run(url, "revoke", given).returncode == 0
    assert run(url, "revoke", api_keys.id_of(app) or "").returncode == 0
    assert run(url, "list").stdout.count("revoked") == 2
    again = run(url, "revoke", given)
    assert again.returncode == 1
    assert "no valid key" in again.stderr


def test_a_policy_is_kept_with_the_key(engine: Engine, url: str, run: Run) -> None:
    assert run(url, "create", "--policy", "preset=strict.. num_challenges=3..5").returncode == 0
    with UnitOfWork(engine, read_only=True) as uow:
        assert [key.policy for key in uow.keys.all()] == ["preset=strict.. num_challenges=3..5"]
    assert "[preset=strict.. num_challenges=3..5]" in run(url, "list").stdout


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_key_expires_and_is_rotated_and_the_trail_tells_of_it(engine: Engine, url: str, run: Run) -> None:
    at = time.time()
    given = run(url, "create", "--name", "our backend", "--expires", "90d").stdout.strip()
    key_id = api_keys.id_of(given) or ""
    listed = run(url, "list").stdout
    assert "expires " in listed
    assert "never used" in listed
    turned = run(url, "rotate", key_id, "--overlap", "2h")
    assert turned.returncode == 0, turned.stderr
    new = turned.stdout.strip()
    assert new not in turned.stderr
    with UnitOfWork(engine) as uow:
        (key,) = uow.keys.all()
        assert key.expires_at == pytest.approx(at + 90 * 86400, abs=60)
        assert key.former_until == pytest.approx(at + 7200, abs=60)
        assert (api_keys.id_of(new), key.name) == (key_id, "our backend")
        assert [key.opens(one, at) for one in (given, new)] == [True, True]
        assert [key.opens(one, at + 8000) for one in (given, new)] == [False, True]
        uow.keys.used(key_id, at)
        uow.commit()
    listed = run(url, "list").stdout
    assert "used " in listed
    assert "former secret until " in listed
    assert run(url, "revoke", key_id).returncode == 0
    assert "no valid key" in run(url, "rotate", key_id).stderr
    with UnitOfWork(engine, read_only=True) as uow:
        entries = uow.trail.of_no_session()
    assert [(entry.action, entry.target, entry.who) for entry in entries] == [
        (action, key_id, "operator") for action in (Action.KEY_CREATED, Action.KEY_ROTATED, Action.KEY_REVOKED)
    ]
    assert entries[0].request_id.startswith("ops/keys by ")
    with engine.connect() as connection:
        rows = str(connection.execute(text("SELECT * FROM audit")).all())
    assert given.split("_", 2)[2] not in rows
    assert new.split("_", 2)[2] not in rows


@pytest.mark.parametrize(
    "arguments",
    [
        ["create", "--policy", "preset=weak"],
        ["revoke", "nonsense"],
        ["create", "--role", "admin"],
        ["create", "--name", "a\nb"],
        ["create", "--expires", "soon"],
        ["rotate", "0" * 12, "--overlap", "-1h"],
        [],
    ],
)
def test_a_wrong_word_is_told(tmp_path: Path, run: Run, arguments: list[str]) -> None:
    told = run(f"sqlite:///{tmp_path}/none.db", *arguments)
    assert told.returncode == 2
    assert "Traceback" not in told.stderr


def test_a_database_without_tables_is_one_sentence(tmp_path: Path, run: Run) -> None:
    told = run(f"sqlite:///{tmp_path}/none.db", "list")
    assert told.returncode == 1
    assert "has not been migrated" in told.stderr
    assert "Traceback" not in told.stderr
