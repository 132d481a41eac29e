"""The wrong clocks of `ops/chaos`: what runs under one goes by it, its steady clock does not, and no other host sees it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from ops.lab.rig import ROOT
from ops.lab.rig.places import HERE
from ops.lab.rig.processes import Missing
from ops.lab.rig.servers import Postgres, Redis, Server
from ops.lab.rig.wrongclock import WrongClock

SAYS = "import time; print(time.time(), time.monotonic())"


@pytest.fixture
def directory() -> Iterator[Path]:
    """One that PostgreSQL's own account comes into, other than tmp_path."""
    with tempfile.TemporaryDirectory(prefix="clock-") as path:
        Path(path).chmod(0o755)
        yield Path(path)


@pytest.fixture
def clock(directory: Path) -> WrongClock:
    return WrongClock(directory / "time")


def told(clock: WrongClock, name: str, number: int) -> tuple[float, float]:
    """By how much a program's wall clock and its steady clock are ahead of ours."""
    environment = clock.environment(name, number, str(ROOT))
    began, steady = time.time(), time.monotonic()
    said = subprocess.run([sys.executable, "-c", SAYS], env=environment, capture_output=True, text=True, check=True)
    wall, monotonic = map(float, said.stdout.split())
    return wall - began, monotonic - steady


def test_one_host_or_all_of_a_programs_hosts(clock: WrongClock) -> None:
    assert abs(told(clock, "worker", 0)[0]) < 20
    for name, number in (("worker", 1), ("web", 0)):
        told(clock, name, number)  # now they are known
    clock.set("worker", 1000.0, 1)
    assert told(clock, "worker", 1)[0] == pytest.approx(1000, abs=20)
    assert told(clock, "worker", 1)[1] == pytest.approx(0, abs=20)
    assert told(clock, "worker", 0)[0] == pytest.approx(0, abs=20)
    clock.set("worker", -1000.0)
    assert [told(clock, "worker", n)[0] for n in (0, 1)] == pytest.approx([-1000, -1000], abs=20)
    assert told(clock, "web", 0)[0] == pytest.approx(0, abs=20)
    clock.set("worker", 0.0)
    assert told(clock, "worker", 1)[0] == pytest.approx(0, abs=20)


def redis_time(server: Server) -> float:
    with redis.Redis(port=server.port) as client:
        return float(client.time()[0])


def postgres_time(server: Server) -> float:
    with psycopg.connect(server.url) as connection:
        row = connection.execute("SELECT extract(epoch FROM clock_timestamp())").fetchone()
    assert row is not None
    return float(row[0])


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "ask"), [(Redis, redis_time), (Postgres, postgres_time)], ids=["redis", "postgres"])
def test_a_server_goes_by_it(
    clock: WrongClock, directory: Path, kind: type[Server], ask: Callable[[Server], float]
) -> None:
    if not clock.of_servers:
        pytest.skip("needs a C compiler")
    try:
        server = kind(directory / "server", HERE, clock.server_environment(kind.name))
    except Missing as missing:
        pytest.skip(str(missing))
    server.start()
    try:
        assert ask(server) == pytest.approx(time.time(), abs=20)
        for ahead in (1000.0, -1000.0, 0.0):
            clock.set_server(kind.name, ahead)
            assert ask(server) == pytest.approx(time.time() + ahead, abs=20)
    finally:
        server.stop()
