"""Whether the service is ready, over real parts."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from redis import Redis

from shared.handoff import worker_presence
from shared.redis import keyspace

PARTS = ("redis", "database", "queue", "workers", "identity")


def test_ready_when_everything_is_there(client: FlaskClient, redis: Redis) -> None:
    worker_presence.beat(redis, "worker", time.time())
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json == {"status": "ready", "checks": dict.fromkeys(PARTS, "ok")}


def test_a_process_that_compares_faces_is_asked_for_unless_nobody_compares(
    start_app: Callable[..., FlaskClient], redis: Redis
) -> None:
    worker_presence.beat(redis, "worker", time.time())
    client = start_app(identity=True)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "IDENTITY=off" in answer.json["checks"]["identity"]
    worker_presence.beat(redis, "another worker", time.time(), "identity")
    assert client.get("/readyz").status_code == 200


def test_a_worker_that_fell_silent_does_not_count(client: FlaskClient, redis: Redis) -> None:
    worker_presence.beat(redis, "worker", time.time() - keyspace.PRESENCE_LATELY - 1)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert {name for name, said in answer.json["checks"].items() if said != "ok"} == {"workers"}
    assert "start one" in answer.json["checks"]["workers"]


def test_a_database_that_was_not_migrated_is_not_ready(start_app: Callable[..., FlaskClient], tmp_path: object) -> None:
    client = start_app(database_url=f"sqlite:///{tmp_path}/other.db")
    assert "migrated" in client.get("/readyz").json["checks"]["database"]


@pytest.mark.slow
def test_ready_over_rabbitmq(start_app: Callable[..., FlaskClient], redis: Redis, rabbitmq_url: str) -> None:
    worker_presence.beat(redis, "worker", time.time())
    client = start_app(queue_url=rabbitmq_url)
    for _ in range(2):
        assert client.get("/readyz").json["checks"]["queue"] == "ok"
