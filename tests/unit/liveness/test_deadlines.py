"""Time: deadlines, frames that come late or in the wrong order, and the end without a frame."""

from __future__ import annotations

import itertools

import pytest

from shared.liveness import hints
from shared.liveness.challenge import ChallengeType
from shared.liveness.session import LONGEST_TRANSIT, OPENING, PREROLL, WINDOW, Session, State
from tests.unit.liveness.people import T0, Person, film, gesture, observe, opened, play, submit, without_face

TURN_LEFT, BLINK = ChallengeType.TURN_LEFT, ChallengeType.BLINK
STILL = film(Person(), seconds=8)


def started(**how: float) -> Session:
    """A session whose first clock started at T0; 5 seconds to the deadline."""
    session = opened(TURN_LEFT, BLINK, **how)
    submit(session, STILL[0])
    assert session.challenges[0].started_at == T0
    return session


def test_a_frame_at_the_deadline_is_in_time():
    """The whole time counts, to its last moment."""
    session = started()
    result = session.submit("at", observe(), T0 + 5)
    assert (result.state, result.challenge_type, result.hint.code) == (State.IN_PROGRESS, TURN_LEFT, "turn_left")


def test_a_frame_after_the_deadline_fails_the_session_as_of_the_deadline():
    """The answer says that it took too long, and no challenge is current any more."""
    session = started()
    result = session.submit("after", observe(), T0 + 5.1)
    assert (result.state, result.challenge_type, result.passed) == (State.FAILED, None, False)
    assert (result.session_complete, result.is_live, result.challenges_remaining) == (False, None, 2)
    assert result.hint == hints.TIMED_OUT
    assert (session.ended_at, session.reason) == (T0 + 5, "timed_out")


def test_a_frame_after_the_deadline_waits_for_those_still_under_way():
    """One that arrived in time may still be measured and pass: until then nothing fails, and nothing passes either."""
    session = started()
    result = session.submit("after", observe(), T0 + 5.1, none_earlier=False)
    assert (result.state, result.challenge_type, result.passed) == (State.IN_PROGRESS, TURN_LEFT, False)
    assert result.hint == hints.TIMED_OUT
    assert session.submit("again", observe(), T0 + 5.2).state is State.FAILED


def test_a_frame_that_arrived_in_time_passes_however_late_it_is_measured():
    """A slow worker takes nobody's time away."""
    frames = film(Person(), gesture(TURN_LEFT, 4.0), seconds=4.8)
    session = opened(TURN_LEFT, BLINK)
    passing = next(i for i, r in enumerate(play(opened(TURN_LEFT, BLINK), frames)) if r.passed)
    play(session, frames[:passing])
    session.submit("after", without_face(), T0 + 5.2, none_earlier=False)
    result = submit(session, frames[passing])
    assert result.passed
    assert result.challenges_remaining == 1


def test_what_happens_after_the_deadline_passes_nothing():
    """A late frame from before the deadline does not open the door for those that came after it."""
    frames = film(Person(), gesture(TURN_LEFT, 5.2), seconds=6)
    in_time, after = ([f for f in frames if (f.at <= T0 + 5) is before] for before in (True, False))
    session = opened(TURN_LEFT, BLINK)
    play(session, in_time[:-1])
    play(session, after, none_earlier=False)
    assert not submit(session, in_time[-1]).passed


def test_a_frame_from_before_the_challenge_is_not_judged_for_it():
    """What was shown for the challenge before, or before the clock, is no answer to this one."""
    session = started()
    result = session.submit("early", observe(yaw=40.0), T0 - 0.1)
    assert (result.passed, result.confidence, result.challenge_type) == (False, 0.0, TURN_LEFT)
    assert session.challenges[0].started_at == T0


@pytest.mark.parametrize("fps", [5, 10])
def test_frames_that_overtake_each_other_are_judged_as_they_arrived(fps):
    """Workers finish in any order; the course of the movement is that of the arrivals."""
    frames = film(Person(), gesture(TURN_LEFT, 1.0), gesture(BLINK, 2.9), seconds=5, fps=fps)
    swapped = list(itertools.chain.from_iterable(zip(frames[1::2], frames[::2], strict=False)))
    in_order, out_of_order = opened(TURN_LEFT, BLINK), opened(TURN_LEFT, BLINK)
    play(in_order, frames)
    play(out_of_order, swapped, none_earlier=False)
    assert in_order.state is out_of_order.state is State.COMPLETED
    for one, other in zip(in_order.challenges, out_of_order.challenges, strict=True):
        assert other.passed_at == pytest.approx(one.passed_at, abs=1.01 / fps)


@pytest.mark.parametrize("late", [0.3, LONGEST_TRANSIT - 0.01])
def test_no_clock_fails_a_session_while_frames_may_be_under_way(late):
    """Time alone waits for LONGEST_TRANSIT seconds after the deadline."""
    session = started()
    session.tick(T0 + 5 + late)
    assert session.state is State.IN_PROGRESS


def test_time_alone_fails_a_session_as_of_its_deadline():
    """A GET an hour later tells the truth: when it ended, not when that was noticed."""
    session = started()
    session.tick(T0 + 3600)
    assert (session.state, session.ended_at, session.reason) == (State.FAILED, T0 + 5, "timed_out")


@pytest.mark.parametrize("frames", [0, 1])
def test_a_session_without_a_face_expires(frames):
    """Without a clock there is nothing to time out; the TTL ends it, not a moment earlier."""
    session = opened(TURN_LEFT, ttl=20.0)
    for number in range(frames):
        session.submit(f"f{number}", without_face(), T0)
    session.tick(session.expires_at - 0.01)
    assert not session.ended
    session.tick(session.expires_at + 500)
    assert (session.state, session.ended_at) == (State.EXPIRED, session.expires_at)


def test_a_session_expires_in_the_middle_of_a_challenge():
    """The TTL counts for all challenges together."""
    session = started(timeout=60.0, ttl=10.0)
    session.tick(session.expires_at)
    assert (session.state, session.ended_at, session.reason) == (State.EXPIRED, session.expires_at, "expired")


def test_a_frame_for_an_outlived_session_is_told_so():
    """It expires with the frame that finds it too old, without waiting for the sweep."""
    session = opened(TURN_LEFT, ttl=10.0)
    result = session.submit("f", observe(), session.expires_at)
    assert (result.state, result.challenge_type, result.passed) == (State.EXPIRED, None, False)
    assert session.ended_at == session.expires_at


def test_a_session_ends_the_same_way_whoever_notices_first():
    """Hours after its deadline a session has failed then, whether a frame or the sweep comes by first."""
    by_frame, by_sweep = started(ttl=60.0), started(ttl=60.0)
    by_frame.submit("f", observe(), T0 + 3600)
    by_sweep.tick(T0 + 3600)
    assert (by_frame.state, by_frame.ended_at) == (by_sweep.state, by_sweep.ended_at)


def test_the_next_challenge_has_its_own_deadline():
    """Who was slow with the first one has the whole time for the second."""
    session = opened(TURN_LEFT, BLINK)
    play(session, film(Person(), gesture(TURN_LEFT, 4.2), seconds=5))
    passed_at = session.challenges[0].passed_at
    assert session.submit("still in time", observe(), passed_at + 4.9).state is State.IN_PROGRESS
    assert session.submit("too late", observe(), passed_at + 5.1).state is State.FAILED


def test_the_frames_at_hand_are_the_opening_and_those_before_the_challenge():
    """The judges know the person from the beginning, and from just before they were asked."""
    session = started()
    until, since = session.frames_needed(T0 + 4)
    assert until == T0 + OPENING
    assert since == T0 - PREROLL


def test_no_challenge_is_judged_over_more_than_the_window():
    """However long a challenge may take, the work on a frame stays the same."""
    session = started(timeout=60.0)
    _, since = session.frames_needed(T0 + 50)
    assert since == T0 + 50 - WINDOW


def test_the_opening_is_still_to_come_while_there_is_no_face():
    """Frames of the search for the camera do not use it up."""
    session = opened(TURN_LEFT)
    session.submit("f", without_face(), T0)
    until, _ = session.frames_needed(T0 + 30)
    assert until == T0 + 30 + OPENING


def test_a_frame_that_is_passed_over_is_told_how_things_stand_and_changes_nothing():
    """A newer one is there: this one is answered without being looked at."""
    session = started()
    frames, due = len(session.frames), session.due
    result = session.supersede(T0 + 1, T0 + 1.1)
    assert result is not None
    assert (result.state, result.challenge_type, result.passed) == (State.IN_PROGRESS, TURN_LEFT, False)
    assert (result.challenges_remaining, result.is_live, result.hint) == (2, None, hints.SUPERSEDED)
    assert (len(session.frames), session.due) == (frames, due)


@pytest.mark.parametrize("newer", [T0 + 5.1, T0 + 301])
def test_a_frame_in_time_is_not_passed_over_for_one_that_comes_too_late(newer):
    """It may hold the gesture, and the newer one would only time it out."""
    assert started().supersede(T0 + 4.9, newer) is None
    assert started().supersede(T0 + 4.8, T0 + 4.9) is not None


def test_the_first_frame_is_not_passed_over():
    """Its answer would say that none had come."""
    assert opened(TURN_LEFT, BLINK).supersede(T0, T0 + 0.1) is None


def test_a_frame_of_an_ended_session_is_told_so_by_passing_over_as_well():
    """As by any other way."""
    session = started()
    session.submit("after", observe(), T0 + 5.1)
    result = session.supersede(T0 + 4.9, T0 + 6)
    assert result is not None
    assert (result.state, result.challenge_type, result.hint) == (State.FAILED, None, hints.ENDED)


def test_only_a_frame_after_the_deadline_can_time_a_challenge_out():
    """Of no other must it be known whether earlier ones are under way."""
    session = started()
    assert [session.times_out(at) for at in (T0 + 1, T0 + 5, T0 + 5.01)] == [False, False, True]
    assert not opened(TURN_LEFT, BLINK).times_out(T0 + 100)
