"""The identity check where the process that compares faces is slow, or is not there; each test with workers of its own."""

from __future__ import annotations

import time
from itertools import count
from statistics import median

import pytest

from shared.db import UnitOfWork
from shared.handoff.clean_up import Endings
from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence import Code
from shared.liveness.held import LONGEST_WAIT
from shared.liveness.session import FrameResult, State
from shared.queue.messages import IDENTITY
from shared.redis import keyspace
from tests.integration.workers.showing import anchored, show, stored
from tests.waiting import until
from workers.overdue_sessions import OverdueSessions

pytestmark = pytest.mark.slow

TURN_LEFT, BLINK = ChallengeType.TURN_LEFT, ChallengeType.BLINK


def test_a_frame_does_not_wait_for_a_comparison_but_the_last_pass_does(service):
    service.start_workers(2)
    service.start_workers(1, queue=IDENTITY, SCRIPTED_DESCRIBING="0.9")
    session_id = service.open(BLINK, identify=True)
    took, results = [], list[FrameResult]()
    for number in count():
        before = time.monotonic()
        results.append(show(service, session_id, passes=number >= 3))
        took.append(time.monotonic() - before - 0.125)
        if results[-1].session_complete:
            break
    assert median(took) < 0.3
    assert max(took) < 0.9, "a comparison takes that long here: none waited for one"
    waiting = results[3:-1]
    assert {(r.passed, r.hint and r.hint.code, r.is_live) for r in waiting} == {(False, "hold_still", None)}
    assert len(waiting) >= 3
    assert (results[-1].passed, results[-1].is_live) == (True, True)


def test_without_a_worker_that_compares_the_last_pass_waits_for_a_while_and_is_not_live(service):
    service.start_workers(1)
    session_id = service.open(BLINK, identify=True)
    show(service, session_id)
    show(service, session_id)
    began = time.monotonic()
    while not (last := show(service, session_id, passes=True)).passed:
        assert time.monotonic() - began < LONGEST_WAIT + 1
    assert time.monotonic() - began > LONGEST_WAIT - 0.2
    assert (last.passed, last.is_live) == (True, None)
    session = stored(service, session_id)
    assert (session.state, session.reason) == (State.FAILED, "not_compared")
    assert not session.fell_short, "the person has not failed"
    assert all(ttl > 0 for key in service.redis.keys("chip:*") if (ttl := service.redis.ttl(key)))


def test_the_clock_completes_a_pass_that_waits(service):
    service.start_workers(1)
    session_id = service.open(BLINK, identify=True)
    show(service, session_id)
    show(service, session_id, passes=True)
    assert not show(service, session_id, passes=True).session_complete
    due = stored(service, session_id).due
    assert due is not None
    assert due < time.time() + LONGEST_WAIT + 1
    service.redis.set(keyspace.anchor(session_id), b"a face", ex=60)
    overdue = OverdueSessions(service.engine, Endings(service.redis), service.settings.weighing)
    overdue.end(due + 0.1)
    assert not service.redis.exists(keyspace.anchor(session_id))
    session = stored(service, session_id)
    assert (session.state, session.is_live, session.reason) == (State.FAILED, None, "not_compared")
    assert [f.bits for f in session.findings if f.code is Code.STIFF] == [3.0], (
        "what the frames showed is weighed as well"
    )


def test_nothing_is_left_of_a_session_that_was_cancelled_meanwhile(service):
    service.start_workers(1)
    (worker,) = service.start_workers(1, queue=IDENTITY, SCRIPTED_DESCRIBING="0.5")
    session_id = service.open(TURN_LEFT, identify=True)
    show(service, session_id)
    with UnitOfWork(service.engine, on_end=Endings(service.redis)) as uow:
        uow.sessions.delete(session_id)
        uow.commit()
    until(lambda: not service.redis.keys("chip:*"))
    until(lambda: not anchored(service))
    assert "rror" not in worker.log
