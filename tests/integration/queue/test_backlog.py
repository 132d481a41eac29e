"""How much waits in a queue, asked of real servers."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from dramatiq import Broker, Message

from shared.queue import backlog
from shared.queue.broker import make_broker
from shared.settings import Settings
from tests.waiting import until

QUEUE = "backlog_seen"


@pytest.fixture(params=["redis", "rabbitmq"])
def broker(request: pytest.FixtureRequest, redis_url: str) -> Iterator[Broker]:
    url = redis_url if request.param == "redis" else request.getfixturevalue("rabbitmq_url")
    broker = make_broker(Settings(_env_file=None, redis_url=redis_url, queue_url=url))
    yield broker
    if QUEUE in broker.queues:
        broker.flush(QUEUE)
    broker.close()


def send(broker: Broker, sent_at: float) -> None:
    broker.declare_queue(QUEUE)
    broker.enqueue(
        Message(QUEUE, "nobody", (), {"n": 1}, {}, message_timestamp=int(sent_at * 1000)),
    )


def test_a_queue_that_nobody_has_used_is_empty(broker: Broker) -> None:
    assert backlog.look(broker, "never_declared") == backlog.Backlog(0)
    assert backlog.look(broker, "never_declared") == backlog.Backlog(0)  # RabbitMQ closes the channel of who asks


def test_it_tells_how_many_wait_and_since_when_and_takes_none(broker: Broker) -> None:
    now = time.time()
    for age in (40, 30, 20):
        send(broker, now - age)
    until(lambda: backlog.look(broker, QUEUE).length == 3)  # RabbitMQ counts a moment later
    for _ in range(3):
        seen = backlog.look(broker, QUEUE)
        assert seen.length == 3
        assert seen.oldest_at == pytest.approx(now - 40, abs=0.01)
        time.sleep(0.1)
    taken = broker.consume(QUEUE, prefetch=1, timeout=2000)
    first = next(taken)
    assert first is not None
    assert first.message_timestamp == int((now - 40) * 1000)
    taken.ack(first)
    taken.close()
    until(lambda: backlog.look(broker, QUEUE).length == 2)
