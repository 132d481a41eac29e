"""Servers that take connections and say nothing, and hosts whose clocks differ."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import dramatiq
import pytest
import redis
from dramatiq import Broker, Worker

from shared.broker import make_broker, worker_middleware
from shared.messages import FRAMES, MEASURE_FRAME, QueueUnavailable, enqueue_frame
from shared.redis import CONNECTING, PATIENCE, make_redis
from shared.settings import Settings


@pytest.fixture
def hung() -> Iterator[int]:
    """The port of a server whose process is stopped, as a client sees it: the kernel accepts, nobody answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield server.getsockname()[1]


def test_a_redis_that_hangs_is_waited_for_once(hung):
    with make_redis(f"redis://127.0.0.1:{hung}/0") as client:
        began = time.monotonic()
        with pytest.raises(redis.TimeoutError):
            client.get("x")
        assert time.monotonic() - began < PATIENCE + 0.5


def test_a_rabbitmq_that_hangs_is_waited_for_once(hung):
    """dramatiq would try six times, ten seconds each."""
    broker = make_broker(Settings(queue_url=f"amqp://127.0.0.1:{hung}/"))
    began = time.monotonic()
    with pytest.raises(QueueUnavailable):
        enqueue_frame(broker, "session", "frame", time.time())
    assert time.monotonic() - began < CONNECTING + 1


def test_a_worker_whose_clock_is_ahead_does_not_take_the_others_for_dead(redis_url, monkeypatch):
    """Its signs of life come first: by its clock everybody else's are old, and their messages would be handed out again."""
    settings, seen, brokers, workers = Settings(queue_url=redis_url), [], [], []

    def work(session_id: str, frame_id: str, arrived_at: float) -> None:
        seen.append(frame_id)
        time.sleep(1.5)

    def start() -> Broker:
        broker = make_broker(settings, worker_middleware(settings))
        dramatiq.actor(actor_name=MEASURE_FRAME, queue_name=FRAMES, broker=broker)(work)
        workers.append(Worker(broker, worker_threads=1))
        workers[-1].start()
        brokers.append(broker)
        return broker

    try:
        enqueue_frame(start(), "session", "frame", time.time())
        until = time.monotonic() + 5
        while not seen and time.monotonic() < until:
            time.sleep(0.01)
        now = dramatiq.common.current_millis
        monkeypatch.setattr("dramatiq.brokers.redis.current_millis", lambda: now() + 60_000)
        start()
        time.sleep(1.0)
        assert seen == ["frame"]
    finally:
        for worker in workers:
            worker.stop(timeout=3000)
        for broker in brokers:
            broker.close()
