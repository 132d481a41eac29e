"""The load of `ops/bench` on the real service: every frame that it sent was answered, and rows say the same."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from ops.lab.bench import frames
from ops.lab.bench.filling import fill
from ops.lab.bench.load import Sender, closed, open_loop
from ops.lab.bench.sides import Service
from ops.lab.bench.trial import GENERATOR, Window, trial
from ops.lab.rig.processes import Missing
from ops.lab.rig.wire import form
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


async def sent(clients: list[Sender], *, rate: float | None) -> None:
    """Three seconds of a load; the sessions stay, with their rows."""
    until = time.monotonic() + 3.0
    await (closed(clients, until) if rate is None else open_loop(clients, rate, until))
    for client in clients:
        client.hang_up()


def rows(service: Service) -> int:
    """How many frames were judged, as the database knows it."""
    with service.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(judged)) or 0


def test_clients_that_wait_get_an_answer_to_every_frame_and_each_was_judged(service, bodies):
    before = rows(service)
    clients = [Sender(service.front, bodies, number) for number in range(2)]
    asyncio.run(sent(clients, rate=None))
    samples = [sample for client in clients for sample in client.samples]
    assert {(s.status, s.code) for s in samples} == {(200, "")}
    assert [client.opened for client in clients] == [1, 1]
    assert rows(service) - before == len(samples) > 2


def test_frames_at_a_fixed_rate_are_all_sent_and_each_gets_an_answer(service, bodies):
    clients = [Sender(service.front, bodies, number) for number in range(4)]
    asyncio.run(sent(clients, rate=4.0))
    samples = [sample for client in clients for sample in client.samples]
    assert len(samples) == pytest.approx(12, abs=1)
    # A machine that others keep busy may refuse some; none may be left without a word.
    assert {s.status for s in samples} <= {200, 503}
    dues = sorted(s.due for s in samples)
    assert [b - a for a, b in itertools.pairwise(dues)] == pytest.approx([0.25] * (len(dues) - 1), abs=1e-6)
    assert all(s.due <= s.sent <= s.done for s in samples)


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
