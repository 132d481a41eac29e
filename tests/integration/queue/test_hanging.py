"""Servers that take connections and say nothing, and hosts whose clocks differ."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import dramatiq
import pytest
import redis
from dramatiq import Broker, Worker

from shared.queue import broker as broker_module
from shared.queue.broker import make_broker, worker_middleware
from shared.queue.messages import FRAMES, MEASURE_FRAME, QueueUnavailable, enqueue_frame
from shared.redis.client import COMMAND_TIMEOUT, CONNECT_TIMEOUT, make_redis
from shared.settings import Settings
from tests.integration.redis_server import running_server
from tests.waiting import PATIENCE as WAITING
from tests.waiting import until


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
        assert time.monotonic() - began < 2 * COMMAND_TIMEOUT


def test_a_rabbitmq_that_hangs_is_waited_for_once(hung):
    """dramatiq would try six times, ten seconds each."""
    broker = make_broker(Settings(queue_url=f"amqp://127.0.0.1:{hung}/"))
    began = time.monotonic()
    with pytest.raises(QueueUnavailable):
        enqueue_frame(broker, "session", "frame", time.time())
    assert time.monotonic() - began < 2 * CONNECT_TIMEOUT


def test_a_worker_whose_clock_is_ahead_does_not_take_the_others_for_dead(redis_url, monkeypatch):
    """Its signs of life come first: by its clock everybody else's are old, and their messages would be handed out again."""
    monkeypatch.setattr(broker_module, "HEARTBEAT_TIMEOUT", 30_000)
    settings, seen, brokers, workers = Settings(queue_url=redis_url), [], [], []
    go = threading.Event()

    def work(session_id: str, frame_id: str, arrived_at: float) -> None:
        seen.append(frame_id)
        go.wait(WAITING)

    def start() -> Broker:
        broker = make_broker(settings, worker_middleware(settings))
        dramatiq.actor(actor_name=MEASURE_FRAME, queue_name=FRAMES, broker=broker)(work)
        workers.append(Worker(broker, worker_threads=1))
        workers[-1].start()
        brokers.append(broker)
        return broker

    try:
        enqueue_frame(start(), "session", "frame", time.time())
        until(lambda: seen)
        now = dramatiq.common.current_millis
        monkeypatch.setattr("dramatiq.brokers.redis.current_millis", lambda: now() + 60_000)
        start()
        time.sleep(1.0)  # in which it would have been handed out again
        assert seen == ["frame"]
    finally:
        go.set()
        for worker in workers:
            worker.stop()
        for broker in brokers:
            broker.close()


def test_a_message_whose_handing_out_was_not_heard_is_handed_out_again(monkeypatch, caplog):
    """Redis does what it was asked for before it hung, though nobody listens any more: it must not keep the message."""
    monkeypatch.setattr("dramatiq.worker.CONSUMER_RESTART_DELAY_SECS", 0.1)
    monkeypatch.setattr("dramatiq.worker.POST_PROCESS_MESSAGE_RETRY_DELAY_SECS", 0.1)
    seen: list[str] = []
    go = threading.Event()

    def work(session_id: str, frame_id: str, arrived_at: float) -> None:
        seen.append(frame_id)
        assert go.wait(WAITING)

    with running_server() as server, make_redis(server.url) as client:
        settings = Settings(queue_url=server.url)
        broker = make_broker(settings, worker_middleware(settings))
        dramatiq.actor(actor_name=MEASURE_FRAME, queue_name=FRAMES, broker=broker)(work)
        worker = Worker(broker, worker_threads=1)
        worker.start()
        for frame_id in ("first", "second"):
            enqueue_frame(broker, "session", frame_id, time.time())
        until(lambda: seen == ["first"])
        with server.hung():
            go.set()  # with word that the first is done, the second is asked for
            until(lambda: "Failed to post_process_message" in caplog.text)
        until(lambda: seen == ["first", "second"])
        until(lambda: client.keys("*") == [b"dramatiq:__heartbeats__"])
        worker.stop()
        broker.close()
