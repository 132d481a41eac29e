"""What each program says of an address with which it could never work: one sentence, without what is secret in it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from ops.lab.rig.processes import Process
from ops.run import redis_server, up
from ops.run.ports import free_port
from ops.run.supervisor import Supervisor
from shared.at_start import refuse_unusable
from shared.settings import EXIT_CONFIG, Settings
from tests.integration.redis_server import RedisServer
from tests.integration.starting import started
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[3]
PROGRAMS = {
    "web": ["gunicorn", "-c", "ops/gunicorn.conf.py", "api:create_app()"],
    "worker": ["workers.main"],
    "clock": ["workers.clock"],
    "events": ["workers.events"],
    "up": ["ops.run.up", "--setup-only"],
    "release": ["alembic", "-c", "migrations/alembic.ini", "upgrade", "head"],
}

pytestmark = pytest.mark.slow


def said_by(programs: list[str], directory: Path, **settings: str) -> dict[str, tuple[int, str]]:
    """Status and last words of programs that are started at the same time with these settings."""
    own = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
    here = {"DATABASE_URL": f"sqlite:///{directory}/rows.db", "STATE_DIR": str(directory), "PORT": str(free_port())}
    environment = own | here | settings
    running = {
        name: subprocess.Popen(
            [sys.executable, "-m", *PROGRAMS[name]],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name in programs
    }
    try:
        said = {name: program.communicate(timeout=PATIENCE)[0] for name, program in running.items()}
    finally:
        for program in running.values():
            if program.poll() is None:
                program.kill()
                program.communicate()
    return {name: (program.returncode, said[name]) for name, program in running.items()}


def test_every_program_says_what_is_wrong_with_its_addresses_and_not_what_is_in_them(tmp_path: Path) -> None:
    wrong = {
        "REDIS_URL": "redis://:hunter2@host:6379/zero",
        "DATABASE_URL": "postgres://liveness:hunter2@host:54x2/rows",
    }
    for program, (status, said) in said_by(list(PROGRAMS), tmp_path, **wrong).items():
        assert (program, status) == (program, EXIT_CONFIG)
        assert said.startswith("Not started, because of the settings: REDIS_URL must end with "), said
        assert "; DATABASE_URL must have a number " in said
        assert said.count("\n") == 1, said
        assert "hunter2" not in said


def test_a_database_that_does_not_answer_is_told_in_a_sentence_by_the_release(tmp_path: Path) -> None:
    url = "postgres://liveness:hunter2@127.0.0.1:1/rows"
    ((status, said),) = said_by(["release"], tmp_path, DATABASE_URL=url).values()
    assert status == 1
    assert said.startswith("Not migrated: the database at DATABASE_URL cannot be reached:")
    assert said.count("\n") == 1, said
    assert "hunter2" not in said


class ClusterNode(RedisServer):
    """A Redis Cluster of one node that holds all keys."""

    def _make(self) -> Process:
        self.port = free_port(self.host, also=10_000)  # where Redis opens the cluster's bus
        config = redis_server.configuration(self.directory, self.port, host=self.host)
        command = [*self.prefix, self.program(), "-"]
        return Process(
            "cluster",
            command,
            log=self.directory / redis_server.LOG,
            environment=self.environment,
            directory=self.directory,
            stdin=config + b"cluster-enabled yes\n",
        )


@pytest.fixture
def cluster() -> Iterator[str]:
    with started(ClusterNode) as node, redis.Redis.from_url(node.url) as client:
        client.execute_command("CLUSTER", "ADDSLOTS", *range(16384))
        yield node.url


def test_a_redis_cluster_is_refused_at_the_start(tmp_path: Path, cluster: str) -> None:
    for program, (status, said) in said_by(["web", "clock"], tmp_path, REDIS_URL=cluster).items():
        assert (program, status) == (program, EXIT_CONFIG)
        assert "Not started: the server that REDIS_URL names is a Redis Cluster" in said, said
    settings = Settings(_env_file=None, redis_url=cluster)
    with pytest.raises(SystemExit):
        up.bring_redis(settings, Supervisor({}, tmp_path))


@pytest.mark.parametrize("name", ["queue_url", "events_url"])
def test_wherever_it_is_named(cluster: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        refuse_unusable(Settings(_env_file=None, redis_url="redis://127.0.0.1:1", **{name: cluster}))
    assert exit_.value.code == EXIT_CONFIG
    assert f"the server that {name.upper()} names is a Redis Cluster" in capsys.readouterr().err


def test_a_server_that_is_away_is_waited_for() -> None:
    refuse_unusable(Settings(_env_file=None, redis_url="redis://127.0.0.1:1"))
