"""Counts of many processes, added up in a real Redis."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis as redis_py
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from shared.redis import keyspace
from shared.redis.client import make_redis
from shared.telemetry.metrics.gathering import Totals
from shared.telemetry.metrics.pushing import Pusher, started
from shared.telemetry.metrics.table import TABLE
from tests.integration.redis_server import RedisServer

ROOT = Path(__file__).parents[4]


@pytest.fixture
def redis(redis_url: str) -> Iterator[redis_py.Redis]:
    with make_redis(redis_url) as client:
        yield client


class Process:
    """What one process counts."""

    def __init__(self, url: str) -> None:
        registry = CollectorRegistry()
        self.requests = Counter("liveness_requests_total", "…", ("rule", "method", "status"), registry=registry)
        self.seconds = Histogram(
            "liveness_queue_seconds",
            "…",
            ("queue",),
            registry=registry,
            buckets=TABLE["liveness_queue_seconds"].buckets,
        )
        self.pusher = Pusher(make_redis(url), registry)


def shown(redis: redis_py.Redis) -> dict[str, float]:
    registry = CollectorRegistry()
    registry.register(Totals(redis, {}))
    lines = generate_latest(registry).decode().splitlines()
    pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in pairs}


def test_processes_add_up_and_one_that_ends_takes_nothing_with_it(redis: redis_py.Redis, redis_url: str) -> None:
    first, second = Process(redis_url), Process(redis_url)
    first.requests.labels("/x", "GET", "200").inc(3)
    second.requests.labels("/x", "GET", "200").inc()
    second.requests.labels("/x", "GET", "503").inc()
    for process in (first, second, first):
        assert process.pusher.push()
    first.pusher.close()
    second.requests.labels("/x", "GET", "200").inc()
    second.pusher.close()
    told = shown(redis)
    assert told['liveness_requests_total{method="GET",rule="/x",status="200"}'] == 5
    assert told['liveness_requests_total{method="GET",rule="/x",status="503"}'] == 1


def test_a_histogram_has_all_its_buckets_and_they_add_up(redis: redis_py.Redis, redis_url: str) -> None:
    first, second = Process(redis_url), Process(redis_url)
    first.seconds.labels("frames").observe(0.004)
    second.seconds.labels("frames").observe(0.2)
    second.seconds.labels("frames").observe(100)
    first.pusher.close()
    second.pusher.close()
    told = shown(redis)
    buckets = [v for name, v in told.items() if name.startswith("liveness_queue_seconds_bucket")]
    assert buckets == sorted(buckets)
    assert len(buckets) == len(TABLE["liveness_queue_seconds"].buckets) + 1
    assert told['liveness_queue_seconds_bucket{le="0.15",queue="frames"}'] == 1
    assert told['liveness_queue_seconds_bucket{le="+Inf",queue="frames"}'] == 3
    assert told['liveness_queue_seconds_sum{queue="frames"}'] == pytest.approx(100.204)


def test_a_push_that_failed_is_sent_again_and_counts_once(redis: redis_py.Redis, redis_url: str) -> None:
    process = Process(redis_url)
    process.requests.labels("/x", "GET", "200").inc(2)
    # Redis has it, and its answer is lost: what a broken connection at the wrong moment does.
    kept = process.pusher._redis.eval

    def answers_too_late(*arguments: object) -> None:
        kept(*arguments)
        raise redis_py.TimeoutError("no answer")

    process.pusher._redis.eval = answers_too_late
    assert not process.pusher.push()
    process.requests.labels("/x", "GET", "200").inc()
    process.pusher._redis.eval = kept
    assert process.pusher.push()
    process.pusher.close()
    assert shown(redis)['liveness_requests_total{method="GET",rule="/x",status="200"}'] == 3


def test_what_is_counted_while_redis_is_away_is_not_lost(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    process = Process(server.url)
    process.requests.labels("/x", "GET", "200").inc()
    assert not process.pusher.push()
    server.start()
    try:
        process.requests.labels("/x", "GET", "200").inc()
        process.pusher.close()
        with make_redis(server.url) as client:
            assert shown(client)['liveness_requests_total{method="GET",rule="/x",status="200"}'] == 2
    finally:
        server.stop()


def test_it_pushes_by_itself_and_what_it_keeps_has_a_time_to_live(redis: redis_py.Redis, redis_url: str) -> None:
    process = Process(redis_url)
    process.requests.labels("/x", "GET", "200").inc()
    pusher = started(Pusher(make_redis(redis_url), process.pusher._registry, every=0.01))
    for _ in range(500):
        if redis.exists(keyspace.METRICS):
            break
        pusher.join(0.01)
    pusher.close()
    keys = {key.decode(): redis.ttl(key) for key in redis.keys("*")}
    assert keyspace.METRICS in keys
    assert all(ttl > 0 for ttl in keys.values())
    process.pusher._redis.close()


def test_the_web_process_knows_every_metric_without_a_workers_code() -> None:
    """Nothing that declares a metric needs cv2 or dlib: /metrics of a process without them tells of all."""
    code = (
        "import sys, shared.telemetry.metrics.table as t; print(len(t.TABLE)); "
        "print({'cv2', 'dlib', 'redis'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(len(TABLE)), "set()"]
