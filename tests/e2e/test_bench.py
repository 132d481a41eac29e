"""The load of `ops/bench` on the real service: every frame that it sent was answered, and rows say the same."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from ops.benching import frames
from ops.benching.filling import fill
from ops.benching.load import Client, closed, open_loop
from ops.benching.sides import Service
from ops.benching.trial import GENERATOR, Window, trial
from ops.benching.wire import form
from ops.breaking.processes import Missing
from shared.db.tables import challenges, sessions
from shared.db.tables import frames as judged
from tests.performer import models_dir  # noqa: F401 - a fixture

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """Web, one worker, clock, over SQLite and Redis."""
    try:
        made = Service(workers=1)
    except Missing as missing:
        pytest.skip(str(missing))
    with made:
        yield made


@pytest.fixture(scope="module")
def bodies(models_dir) -> list[bytes]:  # noqa: F811
    return [form(jpeg) for jpeg in frames.moving(16)]


async def sent(clients: list[Client], *, rate: float | None) -> None:
    """Three seconds of a load; the sessions stay."""
    until = time.monotonic() + 3.0
    await (closed(clients, until) if rate is None else open_loop(clients, rate, until))


@pytest.mark.parametrize("rate", [None, 4.0], ids=["closed", "open"])
def test_frames_that_were_sent_were_answered_and_judged(service, bodies, rate):
    clients = [Client(service.front, bodies, number) for number in range(2)]
    asyncio.run(sent(clients, rate=rate))
    samples = [sample for client in clients for sample in client.samples]
    assert {(s.status, s.code) for s in samples} == {(200, "")}
    assert len(samples) >= 4 if rate is None else len(samples) == pytest.approx(3 * rate, abs=1)
    ids = [session for client in clients for session in client.sessions]
    assert len(ids) == sum(client.opened for client in clients)
    with service.engine.connect() as connection:
        rows = connection.scalar(select(func.count()).select_from(judged).where(judged.c.session_id.in_(ids)))
    assert rows == len(samples)


def test_a_trial_tells_cpu_by_kind_and_its_own_apart(service, bodies):
    found = trial(service, bodies, 2, Window(settling=0.5, seconds=3.0))
    assert found.summary.answered == found.summary.frames > 0
    assert found.summary.codes == {}
    assert {"web", "worker", "Redis", GENERATOR} <= set(found.cpu)
    assert found.cpu["worker"] > 0
    assert found.cpu_of_side == pytest.approx(sum(v for k, v in found.cpu.items() if k != GENERATOR))


def test_a_filled_database_has_so_many_sessions_more_and_the_service_reads_them(service):
    count = lambda table: connection.scalar(select(func.count()).select_from(table))  # noqa: E731
    with service.engine.connect() as connection:
        before = count(sessions), count(challenges)
    fill(service.environment["DATABASE_URL"], 0, 10)
    fill(service.environment["DATABASE_URL"], 10, 25)
    with service.engine.connect() as connection:
        assert (count(sessions) - before[0], count(challenges) - before[1]) == (25, 75)
        one = connection.execute(select(sessions).where(sessions.c.id.endswith("000000000007"))).one()
    assert (one.state, one.is_live, one.due) == ("completed", True, None)
