"""Frames through real worker processes; what vision sees is scripted, so that each course of events can be had."""

from __future__ import annotations

import logging
import time
from statistics import median

from shared.db import UnitOfWork
from shared.handoff import answers, effort, inflight
from shared.liveness.challenge import ChallengeType
from shared.liveness.session import State
from shared.queue.broker import IDLE
from shared.queue.messages import enqueue_frame
from shared.redis import keyspace
from tests.endings import nothing_else
from tests.integration.workers.scripted_worker import Gate, Script
from tests.integration.workers.service import problem_of, result_of
from tests.waiting import until
from workers.frames import BEHIND

log = logging.getLogger(__name__)


def test_a_session_goes_its_way(running):
    session_id = running.open(ChallengeType.TURN_LEFT, ChallengeType.BLINK)
    first = result_of(running.post(session_id, Script()))
    assert (first.state, first.challenge_type, first.passed) == (State.IN_PROGRESS, ChallengeType.TURN_LEFT, False)
    passed = result_of(running.post(session_id, Script(passes=True)))
    assert (passed.passed, passed.challenges_remaining, passed.session_complete) == (True, 1, False)
    assert result_of(running.post(session_id, Script())).challenge_type == ChallengeType.BLINK
    last = result_of(running.post(session_id, Script(passes=True)))
    assert (last.state, last.passed, last.session_complete, last.is_live) == (State.COMPLETED, True, True, True)
    after = result_of(running.post(session_id, Script(passes=True)))
    assert (after.state, after.challenge_type, after.passed) == (State.COMPLETED, None, False)
    session = running.session(session_id)
    assert session is not None
    assert (session.state, session.is_live, running.frames_of(session_id)) == (State.COMPLETED, True, 4)


def test_an_idle_worker_process_is_woken_by_a_frame(running):
    """One that looks by itself finds half of them after half of IDLE. `pytest --log-cli-level=INFO` tells the figure."""
    session_id = running.open()
    took = []
    for n in range(20):
        time.sleep(0.05 + 0.03 * (n % 5))
        sent = time.monotonic()
        result_of(running.post(session_id, Script()))
        took.append(time.monotonic() - sent)
    log.info("answered after %.2f ms in the median", median(took) * 1000)
    assert median(took) < IDLE / 4


def test_a_frame_delivered_twice_is_judged_once_and_answered_the_same(running, gate):
    session_id = running.open(ChallengeType.TURN_LEFT, ChallengeType.BLINK)
    at = time.time()
    running.post(session_id, Script(), at=at)
    # Both copies are measured at once, by two workers, before either is answered.
    sent = running.send(session_id, gate.script(passes=True), at=at + 0.1, frame_id="twice")
    enqueue_frame(running.broker, session_id, "twice", at + 0.1)
    until(lambda: gate.begun == 2)
    gate.open()
    first = result_of(sent.result())
    again = answers.wait(running.redis, "twice", 5)
    assert result_of(again) == first
    assert (first.passed, first.challenges_remaining) == (True, 1)
    session = running.session(session_id)
    assert session is not None
    assert (session.remaining, running.frames_of(session_id)) == (1, 2)
    # A third one, long after: its picture has gone, and nothing happens.
    enqueue_frame(running.broker, session_id, "twice", at + 0.1)
    assert answers.wait(running.redis, "twice", 0.5) is None
    assert running.frames_of(session_id) == 2


def test_a_frame_that_overtakes_another_does_not_time_its_challenge_out(running, gate):
    session_id = running.open(ChallengeType.TURN_LEFT, timeout=1.0)
    at = time.time()
    running.post(session_id, Script(), at=at)
    slow = running.send(session_id, gate.script(passes=True), at=at + 0.9)
    until(lambda: gate.begun)
    too_late = result_of(running.post(session_id, Script(), at=at + 1.1))
    assert not slow.done()
    assert (too_late.state, too_late.passed) == (State.IN_PROGRESS, False)
    gate.open()
    in_time = result_of(slow.result())
    assert (in_time.state, in_time.passed, in_time.is_live) == (State.COMPLETED, True, True)


def test_with_nothing_under_way_a_late_frame_times_its_challenge_out(running):
    session_id = running.open(ChallengeType.TURN_LEFT, timeout=1.0)
    at = time.time()
    running.post(session_id, Script(), at=at)
    running.post(session_id, Script(takes=0.2), at=at + 0.9)
    assert result_of(running.post(session_id, Script(passes=True), at=at + 1.1)).state == State.FAILED


def test_when_the_queue_is_behind_only_the_newest_frame_of_a_session_is_worked_on(running, gate, tmp_path):
    """The others are answered by how things stand; another session's frame is worked on as ever.

    The newest is held until the others are answered: once it is done, one that is looked at later is the newest.
    """
    last = Gate(tmp_path / "last")
    session_id, other_id = running.open(), running.open()
    at = time.time()
    running.post(session_id, Script(), at=at)
    holding = [running.send(running.open(), gate.script()) for _ in running.workers]
    until(lambda: gate.begun == len(holding))
    sent = [running.send(session_id, Script(), at=at + 0.1 * n) for n in range(1, 5)]
    sent.append(running.send(session_id, last.script(), at=at + 0.5))
    other = running.send(other_id, Script())
    until(lambda: running.redis.llen("dramatiq:frames") == len(sent) + 1)
    time.sleep(BEHIND + 0.1)
    gate.open()
    passed_over = [result_of(future.result()) for future in sent[:-1]]
    last.open()
    newest = result_of(sent[-1].result())
    assert {result.hint and result.hint.code for result in passed_over} == {"superseded"}
    assert {(result.state, result.passed, result.challenges_remaining) for result in passed_over} == {
        (State.IN_PROGRESS, False, 2)
    }
    assert newest.hint is None or newest.hint.code != "superseded"
    assert result_of(other.result()).state == State.IN_PROGRESS
    assert (running.frames_of(session_id), running.frames_of(other_id)) == (2, 1)
    assert all(future.result() for future in holding)


def test_a_frame_in_time_is_worked_on_though_a_newer_one_waits_that_is_too_late(running, gate):
    """The gesture is in it, and nowhere else."""
    session_id = running.open(ChallengeType.TURN_LEFT, timeout=1.0)
    at = time.time()
    running.post(session_id, Script(), at=at)
    holding = [running.send(running.open(), gate.script()) for _ in running.workers]
    until(lambda: gate.begun == len(holding))
    in_time = running.send(session_id, Script(passes=True), at=at + 0.9)
    too_late = running.send(session_id, Script(), at=at + 1.1)
    until(lambda: running.redis.llen("dramatiq:frames") == 2)
    time.sleep(BEHIND + 0.1)
    gate.open()
    assert result_of(in_time.result()).passed
    assert result_of(too_late.result()).state is not State.FAILED, "whichever of the two workers was quicker"
    assert all(future.result() for future in holding)
    session = running.session(session_id)
    assert session is not None
    assert session.state is State.COMPLETED


def test_a_frame_whose_request_died_does_not_hold_the_clock_up_for_ever(running):
    session_id = running.open(ChallengeType.TURN_LEFT, timeout=1.0)
    at = time.time()
    running.post(session_id, Script(), at=at)
    inflight.enter(running.redis, session_id, "its web process was killed", at + 0.5)
    assert result_of(running.post(session_id, Script(), at=at + 1.5)).state == State.IN_PROGRESS
    assert result_of(running.post(session_id, Script(), at=at + 7)).state == State.FAILED


def test_bad_pictures_are_told_as_such_and_leave_no_trace_in_the_session(running):
    session_id = running.open()
    assert problem_of(running.post(session_id, Script(fails="not_an_image"))) == "not_an_image"
    assert problem_of(running.post(session_id, Script(fails="too_many_pixels"))) == "too_many_pixels"
    session = running.session(session_id)
    assert session is not None
    assert (session.state, running.frames_of(session_id)) == (State.PENDING, 0)


def test_a_fault_is_answered_logged_without_the_picture_and_the_worker_goes_on(running):
    session_id = running.open()
    assert problem_of(running.post(session_id, Script(fails="fault"))) == "unavailable"
    assert result_of(running.post(session_id, Script())).state == State.IN_PROGRESS
    assert "RuntimeError: a fault in vision" in running.logs
    assert f'"session_id": "{session_id}"' in running.logs


def test_a_session_that_was_deleted_meanwhile_is_unknown(running, gate):
    session_id = running.open()
    sent = running.send(session_id, gate.script())
    until(lambda: gate.begun)
    with UnitOfWork(running.engine, on_end=nothing_else) as uow:
        uow.sessions.delete(session_id)
        uow.commit()
    gate.open()
    assert problem_of(sent.result()) == "session_not_found"


def test_a_picture_that_has_gone_is_nothing_to_work_on(running):
    session_id = running.open()
    enqueue_frame(running.broker, session_id, "gone", time.time())
    assert answers.wait(running.redis, "gone", 0.5) is None
    assert running.frames_of(session_id) == 0


def test_a_client_that_mirrors_has_its_frames_kept_as_they_were_judged(running):
    session_id = running.open(mirrored=True)
    running.post(session_id, Script())
    with UnitOfWork(running.engine, read_only=True) as uow:
        session = uow.sessions.get(session_id)
        assert session is not None
        uow.sessions.load_frames(session, time.time())
    (frame,) = session.frames
    assert frame.observation.face is not None
    assert str(frame.observation.face.yaw) == "-0.0"


def test_a_picture_that_stalls_the_decoder_is_refused_and_its_session_waits_while_others_go_on(running):
    session_id, other = running.open(), running.open()
    assert problem_of(running.post(session_id, Script(fails="image_too_complex"))) == "image_too_complex"
    assert not running.redis.keys("frame:*"), "the queue has nothing to deliver again"
    assert problem_of(running.post(session_id, Script())) == "too_many_frames"
    assert result_of(running.post(other, Script())).state is State.IN_PROGRESS
    assert 0 < running.redis.pttl(keyspace.effort(session_id)) <= 1000 * effort.STALLED / effort.SHARE
