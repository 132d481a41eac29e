"""What /metrics tells, with a real Redis, real rows and a real worker."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from dramatiq import Message, Worker
from flask.testing import FlaskClient
from pydantic import SecretStr
from redis import Redis
from sqlalchemy import Engine

from shared.handoff import worker_presence
from shared.liveness.challenge import Challenge, ChallengeType
from shared.liveness.observation import Observation
from shared.liveness.session import State
from shared.queue.broker import make_broker, worker_middleware
from shared.queue.messages import FRAMES, MEASURE_FRAME, enqueue_frame
from shared.redis.client import make_redis
from shared.settings import Settings
from shared.telemetry.metrics.pushing import Pusher
from shared.telemetry.metrics.table import TABLE
from tests.integration.api.conftest import SESSIONS, Eyes, Tools, session_like
from tests.integration.api.test_frames import jpeg, new_session, post
from tests.waiting import PATIENCE, until
from workers import frames

TOKEN = "a-token-of-sixteen-or-more"
ASK = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"metrics_token": SecretStr(TOKEN)})


@pytest.fixture
def metered(settings: Settings, engine: Engine, redis: Redis, eyes: Eyes) -> Iterator[Worker]:
    broker = make_broker(settings, worker_middleware(settings))
    frames.declare(broker, Tools(redis, engine, eyes), max_age=int(settings.frame_deadline * 1000))
    worker = Worker(broker, worker_threads=1, worker_timeout=100)
    worker.start()
    yield worker
    worker.stop()
    broker.close()


@pytest.fixture
def told(client: FlaskClient, redis: Redis, settings: Settings) -> Callable[[], dict[str, float]]:
    """What /metrics says has been counted since this fixture was made.

    Web and worker of a test are one process, which has counted other tests' doings before.
    """
    pusher = Pusher(make_redis(settings.redis_url))

    def read() -> dict[str, float]:
        pusher.push()
        text = client.get("/metrics", headers=ASK).text
        pairs = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in pairs}

    before = read()
    return lambda: {name: value - before.get(name, 0.0) for name, value in read().items()}


def test_there_is_no_such_address_unless_a_token_is_set(start_app: Callable[..., FlaskClient]) -> None:
    assert start_app(metrics_token=None).get("/metrics", headers=ASK).status_code == 404


@pytest.mark.parametrize("given", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic YTpi"}])
def test_it_asks_for_the_token(client: FlaskClient, given: dict[str, str]) -> None:
    refused = client.get("/metrics", headers=given)
    assert (refused.status_code, refused.json["code"]) == (401, "metrics_token")
    assert refused.headers["WWW-Authenticate"] == "Bearer"
    assert "liveness_" not in refused.text


def test_every_declared_metric_is_told_with_its_help_and_kind(client: FlaskClient) -> None:
    answer = client.get("/metrics", headers=ASK)
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    for declared in TABLE.values():
        assert f"# HELP {declared.name} {declared.help}" in answer.text
        assert f"# TYPE {declared.name} {declared.kind}\n" in answer.text


def test_a_frame_is_seen_from_the_request_to_the_commit(
    client: FlaskClient, metered: Worker, told: Callable[[], dict[str, float]]
) -> None:
    session_id = new_session(client)
    for _ in range(2):
        assert post(client, session_id).status_code == 200
    assert post(client, session_id, b"no picture").status_code == 422
    # A worker answers first, then tells that it is done.
    until(lambda: told().get('liveness_messages_total{actor="measure_frame",outcome="done"}') == 2)
    counted = told()
    rule = f"{SESSIONS}/<session_id>/frame"
    assert counted[f'liveness_requests_total{{method="POST",rule="{rule}",status="200"}}'] == 2
    assert counted[f'liveness_requests_total{{method="POST",rule="{rule}",status="422"}}'] == 1
    assert counted['liveness_problems_total{code="not_an_image"}'] == 1
    assert counted[f'liveness_request_seconds_count{{rule="{rule}"}}'] == 3
    assert counted["liveness_frame_answer_seconds_count"] == 2
    assert 0 < counted["liveness_frame_answer_seconds_sum"] < PATIENCE
    assert counted['liveness_queue_seconds_count{queue="frames"}'] == 2
    assert counted['liveness_work_seconds_count{actor="measure_frame"}'] == 2
    assert counted['liveness_messages_total{actor="measure_frame",outcome="done"}'] == 2
    assert counted["liveness_judging_seconds_count"] == 2
    assert counted["liveness_sessions_created_total"] == 1


def test_a_sessions_end_is_counted_with_why(
    client: FlaskClient,
    metered: Worker,
    keep: Callable[..., Any],
    told: Callable[[], dict[str, float]],
) -> None:
    now = time.time()
    overdue = Challenge(ChallengeType.BLINK, 1.0, started_at=now - 60)
    keep(session_like(challenges=[overdue], state=State.IN_PROGRESS, created_at=now - 61, expires_at=now + 300))
    assert post(client, session_like().id).json["state"] == "failed"
    client.delete(f"{SESSIONS}/{new_session(client)}")
    counted = told()
    assert counted['liveness_sessions_ended_total{live="none",reason="timed_out",state="failed"}'] == 1
    assert counted['liveness_sessions_ended_total{live="none",reason="",state="cancelled"}'] == 1


def test_a_frame_that_failed_and_one_that_came_too_late(
    client: FlaskClient, metered: Worker, eyes: Eyes, settings: Settings, told: Callable[[], dict[str, float]]
) -> None:
    def fail(_data: bytes) -> Observation:
        raise KeyboardInterrupt  # as the time limit does: no Exception

    session_id = new_session(client)
    eyes.see = fail
    assert post(client, session_id).status_code == 503
    sender = make_broker(settings)
    late = {"session_id": session_id, "frame_id": "nobody waits", "arrived_at": time.time() - 60}
    sent_at = int(late["arrived_at"] * 1000)
    sender.enqueue(Message(FRAMES, MEASURE_FRAME, (), late, {}, message_timestamp=sent_at))
    sender.close()
    until(lambda: told().get('liveness_messages_total{actor="measure_frame",outcome="dropped"}') == 1)
    counted = told()
    assert counted['liveness_messages_total{actor="measure_frame",outcome="failed"}'] == 1
    assert counted['liveness_messages_total{actor="measure_frame",outcome="dropped"}'] == 1
    assert counted['liveness_queue_seconds_bucket{le="30.0",queue="frames"}'] == 1  # the other one's 60 s are above
    assert counted['liveness_queue_seconds_count{queue="frames"}'] == 2
    assert counted['liveness_problems_total{code="unavailable"}'] == 1


def test_what_waits_and_who_works_is_looked_up(
    client: FlaskClient, redis: Redis, settings: Settings, told: Callable[[], dict[str, float]]
) -> None:
    worker_presence.beat(redis, "here", time.time())
    worker_presence.beat(redis, "long gone", time.time() - 50)
    sender = make_broker(settings)
    for n in range(3):
        enqueue_frame(sender, "a session", f"frame {n}", time.time())
    sender.close()
    time.sleep(0.1)
    counted = told()
    assert counted['liveness_workers{queue="frames"}'] == 1
    assert counted['liveness_queue_length{queue="frames"}'] == 3
    assert 0.1 <= counted['liveness_queue_oldest_seconds{queue="frames"}'] < PATIENCE


def test_labels_are_of_our_making_whatever_a_client_sends(
    client: FlaskClient, told: Callable[[], dict[str, float]]
) -> None:
    client.get("/wp-admin.php")
    client.open("/livez", method="BREW")
    client.get(f"{SESSIONS}/whatever-somebody-likes")
    client.post(f"{SESSIONS}/whatever/frame", data=jpeg())
    counted = {name for name, value in told().items() if value}
    assert not [name for name in counted if "wp-admin" in name or "BREW" in name or "whatever" in name]
