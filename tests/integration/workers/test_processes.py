"""Worker processes: what they do at once, their limits, their end, and what they leave in Redis."""

from __future__ import annotations

import time

import pytest

from shared.db import UnitOfWork
from shared.handoff import frame_pictures, worker_presence
from shared.liveness.session import State
from shared.queue.messages import enqueue_frame
from shared.redis import keyspace
from tests.integration.workers.scripted_worker import Script
from tests.integration.workers.service import PRELOADED, Service, problem_of, result_of
from tests.waiting import until

pytestmark = pytest.mark.slow

#: Dramatiq's own keys, which live as long as there is something in them (see shared/redis/keyspace.py).
DRAMATIQ = {"dramatiq:__heartbeats__"}


def keys(service: Service) -> dict[str, int]:
    """Every key in Redis and its time to live in seconds, -1 where it has none."""
    found = {key.decode(): service.redis.ttl(key) for key in service.redis.keys("*")}
    return {name: ttl for name, ttl in found.items() if ttl != -2}  # gone between the two


def immortal(service: Service) -> set[str]:
    """The keys that have no time to live."""
    return {name for name, ttl in keys(service).items() if ttl < 0}


def test_a_frame_that_takes_too_long_is_interrupted_and_answered(service):
    service.start_workers(1, FRAME_DEADLINE="2")  # less than this client's own patience, so that it hears of it
    session_id = service.open()
    assert problem_of(service.post(session_id, Script(takes=30))) == "unavailable"
    assert result_of(service.post(session_id, Script())).state == State.IN_PROGRESS


def test_a_database_that_is_locked_too_long_is_answered(service):
    service.start_workers(1)
    session_id = service.open()
    with UnitOfWork(service.engine):  # holds SQLite's one write lock
        assert problem_of(service.post(session_id, Script())) == "database_unavailable"
    assert result_of(service.post(session_id, Script())).state == State.IN_PROGRESS


def test_every_key_has_a_time_to_live_and_nothing_is_left_of_an_answered_frame(service, gate):
    service.start_workers(2)
    session_id = service.open()
    sent = [service.send(session_id, gate.script()) for _ in range(6)]
    until(lambda: gate.begun == 2)
    under_way = keys(service)
    gate.open()
    assert {name.split(":")[0] for name in under_way} >= {"frame", "inflight", "workers", "dramatiq"}
    assert {name for name, ttl in under_way.items() if ttl < 0 and not name.startswith("dramatiq:")} == set()
    for future in sent:
        result_of(future.result())
    # Its picture comes first, as the API sends it; and would be there for much longer than this test takes.
    frame_pictures.put(service.redis, "nobody waits for its answer", Script().encode(), 3600)
    enqueue_frame(service.broker, session_id, "nobody waits for its answer", time.time())
    until(lambda: not service.redis.keys("frame:*") and not service.redis.keys("inflight:*"))
    until(lambda: immortal(service) <= DRAMATIQ)  # a message goes after its frame has been answered
    assert max(keys(service).values()) <= keyspace.PRESENCE_TTL


def test_a_worker_that_is_asked_to_stop_finishes_its_frame_and_says_that_it_goes(service, gate):
    (worker,) = service.start_workers(1)
    session_id = service.open()
    sent = service.send(session_id, gate.script())
    until(lambda: gate.begun)
    worker.terminate()
    until(lambda: "Stopping worker process" in worker.log)
    gate.open()
    assert result_of(sent.result()).state == State.IN_PROGRESS
    assert worker.ended() == 0
    assert worker_presence.seen_lately(service.redis) == 0


def test_frames_of_one_session_at_once_are_all_judged_and_none_is_lost(service, gate):
    service.start_workers(2, SCRIPTED_BEHIND="3600")  # however slow this machine is, none is passed over
    session_id = service.open()
    at = time.time()
    sent = [service.send(session_id, Script(takes=0.01 * (n % 3)), at=at + n * 0.01) for n in range(30)]
    results = [result_of(future.result()) for future in sent]
    assert {result.state for result in results} == {State.IN_PROGRESS}
    assert service.frames_of(session_id) == 30
    # Two frames of one moment that show the same gesture: one challenge passes, not two.
    both = [service.send(session_id, gate.script(passes=True), at=at + 1) for _ in range(2)]
    until(lambda: gate.begun == 2)
    gate.open()
    assert sorted(result_of(future.result()).passed for future in both) == [False, True]
    session = service.session(session_id)
    assert session is not None
    assert (session.state, session.remaining) == (State.IN_PROGRESS, 1)


@pytest.mark.parametrize("module", ["workers.main", PRELOADED])
def test_a_worker_without_its_models_does_not_start(service, tmp_path, module):
    worker = service.start_process(module, MODELS_DIR=str(tmp_path / "none"))
    assert worker.ended() != 0
    assert "worker.cannot_start" in worker.log
    assert worker_presence.seen_lately(service.redis) == 0


@pytest.mark.parametrize("module", ["workers.main", PRELOADED])
def test_a_worker_with_a_wrong_setting_says_which_and_does_not_start(service, module):
    worker = service.start_process(module, FRAME_DEADLINE="soon")
    assert worker.ended() != 0
    assert "Not started, because of the settings: FRAME_DEADLINE" in worker.log
    assert "Traceback" not in worker.log
