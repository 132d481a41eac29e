"""A Redis whose primary changes while the service runs: by a name that moves, and by Sentinel."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import dramatiq
import pytest
import redis
from dramatiq import Worker
from kombu import Connection, Queue

from shared.liveness.challenge import ChallengeType
from shared.queue.broker import make_broker
from shared.queue.messages import FRAMES, MEASURE_FRAME, QueueUnavailable, enqueue_frame
from shared.redis.client import make_redis
from shared.settings import Settings
from tests.integration.queue.failover import Name, Watched, pair
from tests.integration.workers.scripted_worker import Script
from tests.integration.workers.service import Service
from tests.waiting import PATIENCE, until
from workers.events import cloudevents
from workers.events.publisher import Publisher

pytestmark = pytest.mark.slow


@pytest.fixture(params=["name", "sentinel"])
def primary(request: pytest.FixtureRequest) -> Iterator[Name | Watched]:
    with pair(request.param) as found:
        yield found


def works(attempt) -> bool:
    """Whether it is done now; for `until`: what fails is tried again, as the next request tries it."""
    with suppress(redis.RedisError, QueueUnavailable):
        attempt()
        return True
    return False


def test_a_client_follows_with_all_of_its_connections(primary):
    with make_redis(primary.url) as client:
        client.set("before", "1")
        # Several connections at the old primary: some of them will be used for reading alone.
        kept = [client.connection_pool.get_connection() for _ in range(4)]
        for connection in kept:
            client.connection_pool.release(connection)
        primary.fail_over()
        until(lambda: works(lambda: client.set("after", "2")))
        for _ in range(8):
            assert client.get("after") == b"2"
        assert client.info("replication")["role"] == "master"


def test_a_script_follows(primary):
    with make_redis(primary.url) as client:
        script = client.register_script("return redis.call('set', KEYS[1], ARGV[1])")
        script(keys=["a"], args=["1"])
        pipe = client.pipeline(transaction=False)
        primary.fail_over()
        until(lambda: works(lambda: script(keys=["a"], args=["2"])))
        pipe.set("b", "3")
        pipe.get("a")
        assert pipe.execute() == [True, b"2"]


def test_a_pipeline_follows_on_its_own(primary):
    with make_redis(primary.url) as client:
        client.set("a", "1")
        primary.fail_over()

        def write() -> None:
            pipe = client.pipeline(transaction=False)
            pipe.set("a", "2")
            pipe.get("a")
            assert pipe.execute() == [True, b"2"]

        until(lambda: works(write))


def test_one_that_waits_for_an_answer_is_told_at_once(primary):
    """It would else wait at the old primary for as long as it was going to wait."""
    answers: list[object] = []
    with make_redis(primary.url, blocks_for=2 * PATIENCE) as client, make_redis(primary.url) as other:

        def wait() -> None:
            while not answers:  # as the next request does it
                with suppress(redis.RedisError):
                    answers.append(client.blpop(["answer"], timeout=2 * PATIENCE))

        waiting = threading.Thread(target=wait, daemon=True)
        waiting.start()
        until(lambda: other.info("clients")["blocked_clients"])
        primary.fail_over()
        until(lambda: works(lambda: other.rpush("answer", "x")))
        until(lambda: answers)
        waiting.join()
    assert answers == [(b"answer", b"x")]


def test_frames_reach_their_workers_again(primary):
    settings = Settings(_env_file=None, redis_url=primary.url)
    broker, done = make_broker(settings), []
    dramatiq.actor(
        lambda **sent: done.append(sent["frame_id"]), broker=broker, actor_name=MEASURE_FRAME, queue_name=FRAMES
    )
    worker = Worker(broker, worker_threads=1, worker_timeout=100)
    worker.start()
    producer = make_broker(settings)
    try:
        for turn in ("before", "after"):
            until(lambda turn=turn: works(lambda: enqueue_frame(producer, "session", turn, time.time())))
            until(lambda turn=turn: turn in done)
            if turn == "before":
                primary.fail_over()
    finally:
        worker.stop()
        broker.close()
        producer.close()


class Subscriber(threading.Thread):
    """Consumes events as `workers.events.webhooks.Fanout` does."""

    def __init__(self, url: str, queue: Queue) -> None:
        super().__init__(daemon=True)
        from kombu.mixins import ConsumerMixin

        class Consumer(ConsumerMixin):
            def __init__(self, connection: Connection, seen: list[str]) -> None:
                self.connection, self.seen = connection, seen

            def get_consumers(self, consumer, _channel):
                return [consumer(queue, on_message=self.take, prefetch_count=20)]

            def take(self, message):
                self.seen.append(message.properties["message_id"])
                message.ack()

        self.seen: list[str] = []
        self._consumer = Consumer(cloudevents.connect(url, heartbeat=20), self.seen)

    def run(self) -> None:
        self._consumer.run()

    def stop(self) -> None:
        self._consumer.should_stop = True
        self.join(PATIENCE)


def test_events_reach_their_subscribers_again(primary):
    queue = cloudevents.durable_queue("liveness.test", "liveness.#")
    publisher, subscriber = Publisher(primary.url, [queue]), Subscriber(primary.url, queue)
    publisher.prepare()
    subscriber.start()

    def publish(turn: str) -> bool:
        """As the relay does: an event that may not have been published is published again."""
        with suppress(Exception):
            publisher.prepare()
            publisher.publish({"id": turn, "type": "liveness.session.completed"})
            return True
        return False

    try:
        for turn in ("before", "after"):
            until(lambda turn=turn: publish(turn))
            until(lambda turn=turn: turn in subscriber.seen)
            if turn == "before":
                primary.fail_over()
    finally:
        subscriber.stop()
        publisher.close()


@pytest.mark.parametrize("primary", ["name"], indirect=True)
def test_a_session_goes_on_with_the_same_processes(primary, tmp_path: Path):
    service = Service(primary.url, tmp_path)
    try:
        (worker,) = service.start_workers(1)
        before = worker.children
        session_id = service.open(ChallengeType.TURN_LEFT, ChallengeType.BLINK, timeout=PATIENCE)
        service.post(session_id, Script(passes=True))
        primary.fail_over()

        def passes() -> bool:
            with suppress(redis.RedisError, QueueUnavailable):
                answer = service.send(session_id, Script(passes=True)).result()
                return answer is not None and answer.result is not None and bool(answer.result.is_live)
            return False

        until(passes)
        assert worker.children == before
    finally:
        service.close()


def test_a_primary_that_dies_is_replaced_within_seconds():
    with pair("sentinel") as watched, make_redis(watched.url) as client:
        client.set("before", "1")
        watched.kill()
        until(lambda: works(lambda: client.set("after", "2")))
