"""Processes that platforms start with one environment for all give up the secrets that are not theirs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from ops.run.up import ROOT, read_procfile
from shared.own_secrets import NEEDED
from shared.settings import SECRETS
from tests.integration import schema
from tests.integration.workers.service import end_with_children
from tests.waiting import until

SECRET = {"TOKEN_SECRET": "s" * 40, "METRICS_TOKEN": "m" * 20}
LASTING = sorted(set(read_procfile(ROOT / "Procfile")) - {"release", "web"})


def held(process: psutil.Process) -> set[str]:
    """The secret settings whose values stand in what a process shows as its environment."""
    shown = Path(f"/proc/{process.pid}/environ").read_bytes()
    return {name.lower() for name, value in SECRET.items() if value.encode() in shown}


@pytest.mark.parametrize("process", LASTING)
def test_a_process_shows_no_secret_that_it_does_not_need(process: str, redis_url: str, tmp_path: Path) -> None:
    from shared.db import make_engine

    database = f"sqlite:///{tmp_path}/rows.db"
    engine = make_engine(database)
    schema.upgrade(engine)
    engine.dispose()
    environment = os.environ | SECRET | {"REDIS_URL": redis_url, "DATABASE_URL": database, "WORKER_PROCESSES": "1"}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    # Without a shell between, which would show the environment itself; bin/role replaces its own.
    started = subprocess.Popen([str(ROOT / "bin" / "role"), process], env=environment | {"PATH": path}, cwd=ROOT)
    try:
        first = psutil.Process(started.pid)
        until(lambda: b"python" in Path(f"/proc/{started.pid}/cmdline").read_bytes())
        own = NEEDED.get(process, frozenset())
        family = lambda: [first, *first.children(recursive=True)]  # noqa: E731
        until(
            lambda: all(held(member) == own for member in family()) and (len(family()) > 1 or "worker" not in process)
        )
    finally:
        end_with_children(started)


def test_what_is_left_in_the_settings(tmp_path: Path) -> None:
    """Also where a .env file names a secret; and whether the process counts is known without the token."""
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in SECRET.items()))
    look = (
        "from shared.own_secrets import keep_own; keep_own('worker')\n"
        "from shared.settings import get_settings; s = get_settings()\n"
        "import os; left = sorted({'TOKEN_SECRET', 'METRICS_TOKEN'} & set(os.environ))\n"
        "print(s.token_secret, s.metrics_token, s.counts, left)"
    )
    bare = {name: value for name, value in os.environ.items() if name.lower() not in SECRETS} | {
        "PYTHONPATH": str(ROOT)
    }

    def told(**more: str) -> str:
        command = [sys.executable, "-c", look]
        done = subprocess.run(command, env=bare | more, cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    assert told() == "None None True []"
    assert told(**SECRET) == "None None True []"
    (tmp_path / ".env").unlink()
    assert told() == "None None False []"
    assert told(TOKEN_SECRET=SECRET["TOKEN_SECRET"]) == "None None False []"
    assert told(METRICS="on") == "None None True []"
