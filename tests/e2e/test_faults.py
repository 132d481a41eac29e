"""The short form of `ops/chaos`: the whole service under load, and what kills and hangs it within seconds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from ops.lab.chaos import checks
from ops.lab.chaos.checks import ONLY_ANSWERS
from ops.lab.rig.clips import Clips
from ops.lab.rig.load import Load, Notes
from ops.lab.rig.processes import Missing
from ops.lab.rig.stack import Backing, Stack
from shared.redis.client import make_redis
from shared.weights_file import write_weights
from tests.performer import models_dir  # noqa: F401 - a fixture
from tests.unit.liveness.weights import WEIGHTS
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

#: Seconds for which Redis hangs: shorter than a challenge, longer than its clients' patience.
HANG = 3.0


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """Web, two workers, clock, over SQLite and Redis; all gone afterwards, whatever becomes of the test."""
    # By the tests' own weights: to the service's a drawing that moves is one picture, and not always live.
    weights = tmp_path / "weights.json"
    write_weights(weights, WEIGHTS)
    try:
        stack = Stack(
            Backing.EMBEDDED, webs=1, balanced=False, identity=False, settings={"EVIDENCE_WEIGHTS": str(weights)}
        )
    except Missing as missing:
        pytest.skip(str(missing))
    with stack:
        yield stack


def judged(notes: Notes) -> int:
    """How many frames have been judged so far."""
    return sum(r.what == "frame" and r.status == 200 for r in notes.requests)


def noticed(notes: Notes) -> bool:
    """Whether a client was told that Redis is away."""
    return any(r.code == "redis_unavailable" for r in notes.requests)


def for_ever(client: Redis) -> list[str]:
    """The keys that have no time to live and are not there while the service rests."""
    left = [key.decode() for key in client.scan_iter() if client.ttl(key) == -1]
    return [key for key in left if not key.startswith(checks.RESTING)]


def go_on(notes: Notes, frames: int = 20) -> None:
    """Until so many more frames have been judged."""
    before = judged(notes)
    until(lambda: judged(notes) >= before + frames)


def test_killed_workers_a_killed_clock_and_a_hung_redis(stack: Stack, models_dir: Path) -> None:  # noqa: F811
    load = Load(stack.front, Clips(models_dir, takes=1), clients=3, fps=5, challenges=(1, 2), timeout_seconds=6.0)
    notes = load.notes
    load.start()
    go_on(notes)
    for name in ("worker", "clock"):
        for program in stack.programs_named(name):
            program.kill()
    go_on(notes)
    for _ in range(5):  # if all clients happened to wait for an answer, none of them asked Redis for anything meanwhile
        with stack.redis.hung():
            time.sleep(HANG)
        go_on(notes)
        if noticed(notes):
            break
    until(lambda: sum(seen.is_live is True for seen in list(notes.sessions.values())) > 2)
    load.finish(within=12.0)
    assert noticed(notes), "nobody has noticed that Redis hung"
    assert list(checks.answered(notes.requests, stack.deadline, ONLY_ANSWERS)) == []
    assert list(checks.sessions_kept(stack, notes)) == []
    assert list(checks.events_kept(stack.engine, notes)) == []
    with make_redis(stack.redis.url) as client:
        until(lambda: not for_ever(client))
    assert checks.verdicts(stack.engine, notes)["live"] > 2
