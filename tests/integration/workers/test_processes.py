"""Worker processes: their limits, their end, and what they leave in Redis."""

from __future__ import annotations

import time

from shared import answers, claims, keyspace, presence
from shared.db import UnitOfWork
from shared.liveness.session import State
from shared.messages import enqueue_frame
from tests.integration.workers.scripted_worker import Script
from tests.integration.workers.service import Service, problem_of, result_of

#: Dramatiq's own keys, which live as long as there is something in them (see shared/keyspace.py).
DRAMATIQ = {"dramatiq:__heartbeats__"}


def keys(service: Service) -> dict[str, int]:
    """Every key in Redis and its time to live in seconds, -1 where it has none."""
    return {key.decode(): service.redis.ttl(key) for key in service.redis.keys("*")}


def test_a_frame_that_takes_too_long_is_interrupted_and_answered(redis_url, tmp_path):
    service = Service(redis_url, tmp_path, frame_deadline=1.0)
    try:
        service.start_workers(1)
        session_id = service.open()
        sent = service.send(session_id, Script(takes=30), frame_id="endless")
        assert sent.result() is None  # nobody is told by then …
        assert problem_of(answers.wait(service.redis, "endless", 3)) == (503, "unavailable")  # … but it has ended
        assert result_of(service.post(session_id, Script())).state == State.IN_PROGRESS
    finally:
        service.close()


def test_a_database_that_is_locked_too_long_is_answered(service):
    service.start_workers(1)
    session_id = service.open()
    with UnitOfWork(service.engine):  # holds SQLite's one write lock
        assert problem_of(service.post(session_id, Script())) == (503, "database_unavailable")
    assert result_of(service.post(session_id, Script())).state == State.IN_PROGRESS


def test_every_key_has_a_time_to_live_and_nothing_is_left_of_an_answered_frame(service):
    service.start_workers(2)
    session_id = service.open()
    sent = [service.send(session_id, Script(takes=0.2)) for _ in range(6)]
    time.sleep(0.1)
    under_way = keys(service)
    assert {name.split(":")[0] for name in under_way} >= {"frame", "inflight", "workers", "dramatiq"}
    without = {name for name, ttl in under_way.items() if ttl < 0}
    assert {name for name in without if not name.startswith("dramatiq:")} == set()
    for future in sent:
        result_of(future.result())
    enqueue_frame(service.broker, session_id, "nobody waits for its answer", time.time())
    claims.put(service.redis, "nobody waits for its answer", Script().encode(), 15)
    time.sleep(1.5)
    left = keys(service)
    assert {name for name, ttl in left.items() if ttl < 0} <= DRAMATIQ
    assert {name for name in left if name.startswith(("frame:", "inflight:"))} == set()
    assert all(ttl <= keyspace.PRESENCE_TTL for ttl in left.values())


def test_a_worker_that_is_asked_to_stop_finishes_its_frame_and_says_that_it_goes(service):
    (worker,) = service.start_workers(1)
    session_id = service.open()
    sent = service.send(session_id, Script(takes=0.5))
    time.sleep(0.2)
    worker.terminate()
    assert result_of(sent.result()).state == State.IN_PROGRESS
    assert worker.ended(10) == 0
    assert presence.seen_lately(service.redis) == 0


def test_a_worker_without_its_models_does_not_start(service, tmp_path):
    worker = service.start_process("workers.main", MODELS_DIR=str(tmp_path / "none"))
    assert worker.ended(30) != 0
    assert "worker.cannot_start" in worker.log
    assert presence.seen_lately(service.redis) == 0


def test_a_worker_with_a_wrong_setting_says_which_and_does_not_start(service):
    worker = service.start_process("workers.main", FRAME_DEADLINE="soon")
    assert worker.ended(30) != 0
    assert "Not started, because of the settings: FRAME_DEADLINE" in worker.log
    assert "Traceback" not in worker.log
