"""The queue on Redis, and on RabbitMQ where it is the same for both: real servers, workers as threads of the test."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from statistics import median

import dramatiq
import pytest
import redis
from dramatiq import Broker, Message, Worker
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.errors import BrokerConnectionError
from redis.exceptions import RedisError

from shared.queue import broker as broker_module
from shared.queue.broker import IDLE, make_broker, worker_middleware
from shared.queue.messages import FRAMES, MEASURE_FRAME, QueueUnavailable, enqueue_frame
from shared.queue.trying import try_to_send
from shared.redis.client import make_redis
from shared.settings import Settings
from tests.waiting import PATIENCE, until

log = logging.getLogger(__name__)

Act = Callable[[str, str, float], None]


@pytest.fixture(params=["redis", "rabbitmq"])
def queue_url(request: pytest.FixtureRequest) -> str:
    """Each test runs on both."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


class Queue:
    """Workers and a producer on one queue."""

    def __init__(self, url: str) -> None:
        self.settings = Settings(queue_url=url)
        self.producer = make_broker(self.settings)
        self.brokers: list[Broker] = [self.producer]
        self.workers: list[Worker] = []

    def work(self, act: Act, *, max_age: int = 5000) -> Worker:
        """Start a worker that does `act` for each frame; it is idle when this returns."""
        broker = make_broker(self.settings, worker_middleware(self.settings))
        dramatiq.actor(actor_name=MEASURE_FRAME, queue_name=FRAMES, broker=broker, max_age=max_age)(act)
        worker = Worker(broker, worker_threads=1)
        self.brokers.append(broker)
        self.workers.append(worker)
        before = self._waiting()
        worker.start()
        # On Redis it has a thread for the queue and one for what is put off.
        until(lambda: self._waiting() >= before + (1 if isinstance(broker, RabbitmqBroker) else 2))
        return worker

    def _waiting(self) -> int:
        """How many consumers wait for messages: of RabbitMQ those that it knows of, of Redis those that sleep in it."""
        if isinstance(self.producer, RabbitmqBroker):
            self.producer.declare_queue(FRAMES, ensure=True)
            return int(self.producer.channel.queue_declare(FRAMES, passive=True).method.consumer_count)
        return int(self.producer.client.info("clients")["blocked_clients"])

    def send(self, frame_id: str) -> None:
        """A frame, arriving now."""
        enqueue_frame(self.producer, "session", frame_id, time.time())

    def close(self) -> None:
        """Stop all of it."""
        for worker in self.workers:
            worker.stop(timeout=int(PATIENCE * 1000))
        self.producer.flush(FRAMES)
        for broker in self.brokers:
            broker.close()


@pytest.fixture
def queue(queue_url: str) -> Iterator[Queue]:
    """The queue on each server."""
    queue = Queue(queue_url)
    yield queue
    queue.close()


@pytest.fixture
def redis_queue(redis_url: str) -> Iterator[Queue]:
    """The queue on Redis."""
    queue = Queue(redis_url)
    yield queue
    queue.close()


class Seen:
    """What workers have seen, and when."""

    def __init__(self) -> None:
        self.waits: dict[str, float] = {}
        self._changed = threading.Condition()

    def __call__(self, session_id: str, frame_id: str, arrived_at: float) -> None:
        """The act."""
        with self._changed:
            self.waits[frame_id] = time.time() - arrived_at
            self._changed.notify_all()

    def expect(self, count: int) -> None:
        """Wait for so many."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.waits) >= count, PATIENCE), self.waits

    def none_was_polled_for(self) -> None:
        """Each came as a call. Who polls finds half of them after half a pause, and who sleeps on after half of IDLE.

        A tenth of that is far more than waking takes on a busy machine: `pytest --log-cli-level=INFO` tells the figure.
        """
        log.info("picked up after %.2f ms in the median", median(self.waits.values()) * 1000)
        assert median(self.waits.values()) < IDLE / 10


class Holding:
    """Has one frame in hand until it is let go."""

    def __init__(self) -> None:
        self.busy, self._go = threading.Event(), threading.Event()

    def __call__(self, session_id: str, frame_id: str, arrived_at: float) -> None:
        """The act."""
        self.busy.set()
        self._go.wait(2 * PATIENCE)

    def has_one(self) -> None:
        """Wait until it has."""
        assert self.busy.wait(PATIENCE)

    def let_go(self) -> None:
        """Go on."""
        self._go.set()


def test_an_idle_worker_is_woken_by_a_frame(queue):
    seen = Seen()
    queue.work(seen)
    for n in range(30):
        time.sleep(0.02 + 0.03 * (n % 5))  # the stock consumer waits longer the longer it has been idle
        queue.send(str(n))
        seen.expect(n + 1)
    seen.none_was_polled_for()


def test_a_worker_that_has_been_idle_for_long_is_woken_as_well(redis_queue):
    seen = Seen()
    redis_queue.work(seen)
    for n in range(3):
        time.sleep(IDLE + 0.25)  # past the end of one sleep in Redis, into the next
        redis_queue.send(str(n))
        seen.expect(n + 1)
    seen.none_was_polled_for()


def test_a_worker_holds_one_message_and_leaves_the_next_to_another(queue):
    hold = Holding()
    queue.work(hold)
    queue.send("first")
    hold.has_one()
    for n in range(3):
        queue.send(f"next {n}")
    time.sleep(0.2)  # in which it could have fetched more, if it would
    seen = Seen()
    queue.work(seen)
    seen.expect(3)
    hold.let_go()


def test_a_busy_worker_takes_the_next_message_as_soon_as_it_is_done(queue):
    seen = Seen()
    began, ended = [], []

    def slow(session_id: str, frame_id: str, arrived_at: float) -> None:
        began.append(time.monotonic())
        time.sleep(0.02)
        ended.append(time.monotonic())
        seen(session_id, frame_id, arrived_at)

    queue.work(slow)
    for n in range(20):
        queue.send(str(n))
    seen.expect(20)
    # A consumer that polls lets a fifth of a second go by.
    assert median(after - before for before, after in zip(ended, began[1:], strict=False)) < 0.1


def test_a_worker_that_stops_gives_back_what_it_fetched_and_has_not_begun(redis_queue, monkeypatch):
    """With the acknowledgement of one message comes the next: it must not wait until the worker is taken for dead."""
    monkeypatch.setattr(broker_module, "HEARTBEAT_TIMEOUT", 3600_000)
    hold = Holding()
    stopping = redis_queue.work(hold)
    for n in range(3):
        redis_queue.send(str(n))
    hold.has_one()
    stop = threading.Thread(target=stopping.stop)
    stop.start()
    until(lambda: not any(thread.running for thread in stopping.workers))
    hold.let_go()
    stop.join()
    seen = Seen()
    redis_queue.work(seen)
    seen.expect(2)
    assert sorted(seen.waits) == ["1", "2"]


def test_one_round_trip_acknowledges_a_message_and_brings_the_next(redis_queue, redis_url):
    """With messages waiting, a worker calls one script for each."""
    seen = Seen()

    def slow(session_id: str, frame_id: str, arrived_at: float) -> None:
        time.sleep(0.005)
        seen(session_id, frame_id, arrived_at)

    with make_redis(redis_url) as client:
        for n in range(50):
            redis_queue.send(str(n))
        client.config_resetstat()
        redis_queue.work(slow)
        seen.expect(50)
        stats = client.info("commandstats")
    assert stats["cmdstat_evalsha"]["calls"] < 60
    assert stats["cmdstat_blpop"]["calls"] < 10


def test_every_idle_worker_is_woken_by_a_burst(queue, monkeypatch):
    monkeypatch.setattr(broker_module, "IDLE", 5.0)  # seconds until they would look by themselves
    together = threading.Barrier(3, timeout=PATIENCE)
    met: list[float] = []

    def meet(session_id: str, frame_id: str, arrived_at: float) -> None:
        together.wait()
        met.append(time.time() - arrived_at)

    for _ in range(3):
        queue.work(meet)
    for n in range(3):
        queue.send(str(n))
    until(lambda: len(met) == 3)
    assert max(met) < 3, "they have just fallen asleep"


def test_a_message_that_is_too_old_is_dropped_without_a_trace(queue):
    seen = Seen()
    queue.producer.declare_queue(FRAMES)
    old = {"session_id": "session", "frame_id": "old", "arrived_at": time.time() - 7200}
    long_ago = int(old["arrived_at"] * 1000)
    queue.producer.enqueue(Message(FRAMES, MEASURE_FRAME, (), old, {}, message_timestamp=long_ago))
    queue.work(seen, max_age=3600_000)
    queue.send("new")
    seen.expect(1)
    assert list(seen.waits) == ["new"]
    if isinstance(queue.producer, RabbitmqBroker):
        until(lambda: queue.producer.get_queue_message_counts(FRAMES) == (0, 0, 0))
    else:
        until(lambda: not queue.producer.client.exists("dramatiq:frames"))
        assert not queue.producer.client.exists("dramatiq:frames.XQ")


def test_an_act_that_takes_too_long_is_interrupted_and_the_next_is_done(redis_url):
    queue = Queue(redis_url)
    queue.settings = Settings(queue_url=redis_url, frame_deadline=0.5)
    ended: list[str] = []
    seen = Seen()

    def endless(session_id: str, frame_id: str, arrived_at: float) -> None:
        if frame_id == "endless":
            try:
                while True:
                    time.sleep(0.01)
            except BaseException as error:
                ended.append(type(error).__name__)
                raise
        seen(session_id, frame_id, arrived_at)

    worker = queue.work(endless)
    worker.broker.emit_after("process_boot")  # as the dramatiq command does: starts the watch
    queue.send("endless")
    queue.send("next")
    seen.expect(1)
    assert ended == ["TimeLimitExceeded"]
    queue.close()


def test_a_dead_worker_s_message_is_given_to_another_within_seconds(redis_queue, monkeypatch):
    monkeypatch.setattr(broker_module, "HEARTBEAT_TIMEOUT", 500)
    dead = make_broker(redis_queue.settings)
    consumer = dead.consume(FRAMES)
    redis_queue.send("orphan")
    assert next(consumer) is not None  # taken, and never acknowledged
    dead.close()
    seen = Seen()
    redis_queue.work(seen)
    seen.expect(1)
    assert list(seen.waits) == ["orphan"]


def test_a_producer_is_not_taken_for_a_worker(redis_queue, redis_url):
    redis_queue.send("a")
    with make_redis(redis_url) as client:
        assert client.zcard("dramatiq:__heartbeats__") == 0
        redis_queue.work(Seen())
        redis_queue.send("b")
        assert client.zcard("dramatiq:__heartbeats__") == 1


def test_tokens_are_bounded_by_the_queue_and_expire(redis_queue, redis_url):
    with make_redis(redis_url) as client:
        for n in range(100):
            redis_queue.send(str(n))
        assert 0 < client.llen("dramatiq:frames.wake") <= client.llen("dramatiq:frames") == 100
        assert 0 < client.ttl("dramatiq:frames.wake") <= 60
        seen = Seen()
        redis_queue.work(seen)
        seen.expect(100)
        until(lambda: client.keys("*") == [b"dramatiq:__heartbeats__"])


def test_an_idle_worker_lets_redis_rest(redis_queue, redis_url):
    redis_queue.work(Seen())
    with make_redis(redis_url) as client:
        began, before = time.monotonic(), client.info("stats")["total_commands_processed"]
        time.sleep(2)
        commands = client.info("stats")["total_commands_processed"] - before
    # Each second for the queue and its delayed twin: a fetch (and what its script calls) and a pop.
    assert commands < 30 * (time.monotonic() - began)


def test_a_worker_survives_a_redis_that_hangs_up(redis_queue, redis_url, monkeypatch):
    monkeypatch.setattr("dramatiq.worker.CONSUMER_RESTART_DELAY_SECS", 0.1)
    seen = Seen()
    redis_queue.work(seen)
    with make_redis(redis_url) as client:
        client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    redis_queue.send("after")
    seen.expect(1)


def test_trying_to_send(queue):
    try_to_send(queue.producer)


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "amqp://127.0.0.1:1/?connection_attempts=1"])
def test_a_queue_that_is_away_is_told_as_such(url):
    broker = make_broker(Settings(queue_url=url))
    with pytest.raises(QueueUnavailable):
        enqueue_frame(broker, "session", "frame", time.time())
    with pytest.raises((RedisError, BrokerConnectionError)):
        try_to_send(broker)


def test_making_a_broker_connects_to_nothing():
    """The dramatiq command loads workers/main.py before it forks and boots."""
    make_broker(Settings(queue_url="redis://127.0.0.1:1/0"))
    make_broker(Settings(queue_url="amqp://127.0.0.1:1/"))
    assert isinstance(make_redis("redis://127.0.0.1:1/0"), redis.Redis)
