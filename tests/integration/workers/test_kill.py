"""Workers killed with -9 while frames flow: each request is answered or ends at its deadline, the session goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.liveness.challenge import ChallengeType
from shared.liveness.session import State
from tests.integration.workers.scripted_worker import Script
from tests.integration.workers.service import Service, result_of
from tests.waiting import until

pytestmark = pytest.mark.slow


@pytest.fixture(params=["redis", "rabbitmq"])
def service(request: pytest.FixtureRequest, redis_url: str, tmp_path: Path) -> Iterator[Service]:
    """On each queue."""
    queue_url = redis_url if request.param == "redis" else request.getfixturevalue("rabbitmq_url")
    service = Service(redis_url, tmp_path, queue_url=queue_url)
    service.broker.flush("frames")
    yield service
    service.close()


def test_one_of_two_is_killed_and_no_frame_is_lost(service, gate):
    first, _ = service.start_workers(2)
    session_id = service.open(ChallengeType.TURN_LEFT, ChallengeType.BLINK, timeout=60)
    sent = []
    for n in range(40):
        if n == 10:
            # One for each worker, so that the one that is killed has one in hand.
            sent += [service.send(session_id, gate.script()) for _ in range(2)]
            until(lambda: gate.begun == 2)
            first.kill()
            gate.open()
        sent.append(service.send(session_id, Script(takes=0.03)))
        time.sleep(0.05)
    results = [result_of(future.result()) for future in sent]
    assert {result.state for result in results} == {State.IN_PROGRESS}
    # The one that is left is behind: of what waits for long only the newest is worked on, and the others are told so.
    passed_over = [result for result in results if result.hint is not None and result.hint.code == "superseded"]
    assert service.frames_of(session_id) + len(passed_over) == 42
    assert first.ended() != 0
    service.start_workers(1)
    assert result_of(service.post(session_id, Script(passes=True))).passed
    assert result_of(service.post(session_id, Script(passes=True))).is_live


def test_all_are_killed_and_the_session_goes_on_with_new_ones(service, gate):
    (worker,) = service.start_workers(1)
    session_id = service.open(ChallengeType.TURN_LEFT, timeout=60)
    sent = [service.send(session_id, gate.script()) for _ in range(2)]
    until(lambda: gate.begun)
    worker.kill()
    assert [future.result() for future in sent] == [None, None]
    assert worker.ended() != 0
    service.start_workers(1)
    assert result_of(service.post(session_id, Script(passes=False))).state == State.IN_PROGRESS
    assert result_of(service.post(session_id, Script(passes=True))).is_live
    # Frames that nobody waited for any more were not worked on.
    assert service.frames_of(session_id) == 2
