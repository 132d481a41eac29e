"""The life of a session: its states, its clock, what it answers, and what it tells."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.liveness.challenge import ChallengeType
from shared.liveness.observation import Problem
from shared.liveness.session import LONGEST_TRANSIT, Session, State
from shared.liveness.terms import Terms
from tests.unit.liveness.people import T0, Person, film, gesture, observe, opened, play, submit, without_face
from tests.unit.liveness.weights import WEIGHTS

TURN_LEFT, BLINK, SMILE = ChallengeType.TURN_LEFT, ChallengeType.BLINK, ChallengeType.SMILE


def completed() -> Session:
    """A session whose challenges have all been met."""
    session = opened(TURN_LEFT, BLINK)
    play(session, film(Person(), gesture(TURN_LEFT, 1.0), gesture(BLINK, 3.5), seconds=5))
    assert session.state is State.COMPLETED
    return session


def failed() -> Session:
    """A session that timed out."""
    session = opened(TURN_LEFT, BLINK)
    submit(session, film(Person(), seconds=0.1)[0])
    session.tick(T0 + 60)
    assert session.state is State.FAILED
    return session


def expired() -> Session:
    """A session that nobody ever used."""
    session = opened(TURN_LEFT, BLINK)
    session.tick(session.expires_at)
    assert session.state is State.EXPIRED
    return session


def test_a_new_session_is_pending_and_waits_without_a_clock():
    """Nothing runs before a frame comes: the person may still be looking for the camera."""
    session = opened(TURN_LEFT, BLINK)
    assert session.state is State.PENDING
    assert session.current is session.challenges[0]
    assert session.remaining == 2
    assert all(c.started_at is c.deadline is c.passed_at is None for c in session.challenges)
    assert session.due == session.expires_at


def test_the_first_frame_starts_the_session_whatever_it_shows():
    """`in_progress` means that a frame was submitted, not that a face was seen."""
    session = opened(TURN_LEFT)
    result = session.submit("f", without_face(), T0)
    assert result.state is session.state is State.IN_PROGRESS
    assert session.started_at == T0


@pytest.mark.parametrize("unusable", [without_face(), observe(faces=2, problem=Problem.SEVERAL_FACES)])
def test_the_first_clock_starts_with_the_first_usable_face(unusable):
    """No clock runs while there is nothing to judge, however long that takes."""
    session = opened(TURN_LEFT, timeout=5.0)
    for second in range(20):
        result = session.submit(f"f{second}", unusable, T0 + second)
        assert (result.state, result.challenge_type) == (State.IN_PROGRESS, TURN_LEFT)
    assert session.challenges[0].started_at is None
    session.submit("face", observe(), T0 + 20)
    assert session.challenges[0].deadline == T0 + 25


def test_the_clock_of_each_next_challenge_starts_with_the_pass_before_it():
    """The person gets the whole time for each, and none between: it starts with the answer that tells of the pass."""
    session = opened(TURN_LEFT, BLINK)
    frames = film(Person(), gesture(TURN_LEFT, 1.0), gesture(BLINK, 3.5), seconds=5)
    told = [f.at for f, result in zip(frames, play(session, frames), strict=True) if result.passed]
    first, second = session.challenges
    assert [second.started_at, session.ended_at] == told
    assert first.passed_at <= second.started_at < second.passed_at < session.ended_at


def test_only_the_frame_that_passes_says_so():
    """A client may count `passed`: there is one a challenge, naming it, and the counts go down by one each."""
    session = opened(TURN_LEFT, BLINK, SMILE)
    acts = [gesture(TURN_LEFT, 1.0), gesture(BLINK, 3.0), gesture(SMILE, 4.5)]
    results = play(session, film(Person(), *acts, seconds=7))
    passed = [(r.challenge_type, r.challenges_remaining, r.session_complete) for r in results if r.passed]
    assert passed == [(TURN_LEFT, 2, False), (BLINK, 1, False), (SMILE, 0, True)]
    assert all(r.confidence >= 0.5 for r in results if r.passed)


def test_the_verdict_comes_with_the_last_pass_and_not_before():
    """`is_live` is null as long as there is anything left to do."""
    session = opened(TURN_LEFT, BLINK)
    results = play(session, film(Person(), gesture(TURN_LEFT, 1.0), gesture(BLINK, 3.5), seconds=6))
    last = next(i for i, r in enumerate(results) if r.session_complete)
    assert all(r.is_live is None and r.state is State.IN_PROGRESS for r in results[:last])
    assert results[last].state is State.COMPLETED
    assert results[last].is_live is session.is_live is True


@pytest.mark.parametrize("made", [completed, failed, expired])
def test_an_ended_session_answers_frames_by_its_state_and_stays_as_it_is(made):
    """A client's ordinary loop ends by itself, and no frame brings a session back."""
    session = made()
    before = (session.state, session.ended_at, session.is_live, session.remaining, list(session.events))
    for number, frame in enumerate(film(Person(), gesture(TURN_LEFT, 0.5), seconds=2)):
        result = session.submit(f"late{number}", frame.observation, frame.at + 10)
        assert (result.state, result.challenge_type, result.passed) == (session.state, None, False)
        assert result.session_complete is (session.state is State.COMPLETED)
    assert before == (session.state, session.ended_at, session.is_live, session.remaining, list(session.events))
    assert session.ended
    assert session.due is session.current is None


@pytest.mark.parametrize("made", [completed, failed, expired])
def test_time_does_not_change_an_ended_session(made):
    """A sweep that comes by later, or twice, finds nothing to do."""
    session = made()
    before = (session.state, session.ended_at, session.reason, list(session.events))
    session.tick(T0 + 10_000)
    assert before == (session.state, session.ended_at, session.reason, list(session.events))


def test_a_subject_without_an_attempt_left_is_not_live_and_sees_no_difference():
    """The refusal is told to the relying party's server alone."""
    frames = film(Person(), gesture(TURN_LEFT, 1.0), gesture(BLINK, 3.5), seconds=5)
    usual, spent = opened(TURN_LEFT, BLINK), opened(TURN_LEFT, BLINK)
    spent.terms = Terms(attempts_spent=True)
    without_verdict = [[replace(r, is_live=None) for r in play(each, frames)] for each in (usual, spent)]
    assert without_verdict[0] == without_verdict[1]
    assert (usual.is_live, spent.is_live) == (True, False)
    assert spent.reason == spent.events[-1].data["reason"] == "too_many_attempts"
    assert not spent.fell_short, "else the pause would never end"


def test_a_met_session_tells_its_story_in_order():
    """Subscribers hear created, started, each pass, and the end, each with what it is about."""
    session = completed()
    first, second = session.challenges
    assert [e.type for e in session.events] == [
        "session.created", "session.started", "session.challenge_passed", "session.challenge_passed", "session.completed",
    ]  # fmt: skip
    created, started, *passes, ended = session.events
    assert (created.at, created.data) == (T0 - 1, {"challenges": ["TURN_LEFT", "BLINK"], **session.facts})
    assert started.at == session.started_at
    assert [(e.at, e.data["challenge"], e.data["confidence"]) for e in passes] == [
        (first.passed_at, "TURN_LEFT", first.confidence),
        (second.passed_at, "BLINK", second.confidence),
    ]
    assert (ended.at, ended.data["is_live"], ended.data["reason"]) == (session.ended_at, True, None)
    assert ended.data["score"] == session.score
    assert ended.data["asked"] == created.data["asked"]
    assert session.score >= session.threshold(WEIGHTS)


@pytest.mark.parametrize(("made", "reason"), [(failed, "timed_out"), (expired, "expired")])
def test_an_unmet_session_tells_why_it_ended(made, reason):
    """The end is told under the state's own name, with a code, and without a verdict."""
    session = made()
    ended = session.events[-1]
    assert ended.type == f"session.{session.state}"
    assert ended.at == session.ended_at
    told = {"is_live": None, "reason": reason, **session.facts}
    assert ended.data == told, "nor is there a score of what nobody has weighed"
    assert session.score is None
    assert session.reason == reason


def test_a_cancelled_session_tells_that_it_was():
    """The caller deletes it; who listens hears of it."""
    session = opened(TURN_LEFT)
    session.cancel(T0 + 3)
    assert (session.events[-1].type, session.events[-1].at) == ("session.cancelled", T0 + 3)


def test_a_session_is_due_at_its_deadline_once_frames_under_way_are_in():
    """The sweep comes when no frame that could still pass the challenge can be under way."""
    session = opened(TURN_LEFT, timeout=5.0)
    submit(session, film(Person(), seconds=0.1)[0])
    assert session.due == session.challenges[0].deadline + LONGEST_TRANSIT


def test_a_session_is_never_due_after_its_end_of_life():
    """The TTL holds however much time the challenge would have left."""
    session = opened(TURN_LEFT, timeout=60.0, ttl=10.0)
    submit(session, film(Person(), seconds=0.1)[0])
    assert session.due == session.expires_at
