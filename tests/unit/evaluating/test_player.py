"""The offline player: a session's answers by the clock of the pictures."""

from __future__ import annotations

from itertools import count

import pytest

from ops.evaluating.identity import NoIdentity
from ops.evaluating.player import BEGIN, play
from ops.evaluating.video import Shot
from shared.liveness.challenge import ChallengeType
from shared.liveness.observation import Observation, Problem
from shared.liveness.session import Session, State
from tests.unit.evaluating.helpers import Script, numbered, seen

FPS = 8


def opened(*types: ChallengeType) -> Session:
    return Session.open("s", list(types), timeout_seconds=5, at=BEGIN, ttl=600)


def turn() -> Script:
    """Two seconds of rest, half a second of turning to the left by 40 degrees, then held."""
    return Script([seen(yaw=min(40.0, max(0.0, (i - 16) * 10.0))) for i in range(80)])


def test_a_gesture_passes_at_its_second_with_its_picture() -> None:
    played = play(opened(ChallengeType.TURN_LEFT), numbered(range(80)), turn(), NoIdentity(), fps=FPS, seconds=10)
    assert [p.challenge for p in played.passes] == ["TURN_LEFT"]
    passed = played.passes[0]
    assert 2.0 < passed.at < 3.0
    assert passed.shot.second == pytest.approx(passed.at)
    assert played.session.state is State.COMPLETED
    assert played.frames == round(passed.at * FPS) + 1


def test_a_session_that_is_not_answered_times_out_by_the_clock_of_the_pictures() -> None:
    played = play(opened(ChallengeType.TURN_RIGHT), numbered(range(80)), turn(), NoIdentity(), fps=FPS, seconds=10)
    assert (played.session.state, played.session.reason) == (State.FAILED, "timed_out")
    assert 5.0 < played.seconds < 5.5


def test_it_ends_with_its_source_and_with_its_time() -> None:
    short = play(opened(ChallengeType.TURN_LEFT), numbered(range(4)), turn(), NoIdentity(), fps=FPS, seconds=10)
    assert short.frames == 4
    timed = play(opened(ChallengeType.TURN_LEFT), numbered(count()), turn(), NoIdentity(), fps=FPS, seconds=1)
    assert timed.frames == 8


def test_the_source_hears_the_answer_to_the_picture_before() -> None:
    heard = []

    def listening():
        for number in range(30):
            reply = yield Shot(str(number).encode())
            heard.append(reply)

    play(opened(ChallengeType.TURN_LEFT, ChallengeType.BLINK), listening(), turn(), NoIdentity(), fps=FPS, seconds=3)
    passed = [i for i, reply in enumerate(heard) if reply.passed]
    assert len(passed) == 1
    assert heard[passed[0]].challenge_type == "TURN_LEFT"
    assert heard[passed[0] + 1].challenge_type == "BLINK"


def test_a_lost_face_leaves_no_place_to_look_at() -> None:
    script = Script([seen(), Observation(0, Problem.NO_FACE), seen()])
    played = play(opened(ChallengeType.BLINK), numbered(range(3)), script, NoIdentity(), fps=FPS, seconds=3)
    assert played.problems == {"no_face": 1}


def test_identity_sees_every_judged_picture() -> None:
    class Watching:
        def __init__(self) -> None:
            self.data: list[bytes] = []

        def saw(self, session, data, observation, result, at) -> None:
            self.data.append(data)

    watching = Watching()
    play(opened(ChallengeType.BLINK), numbered(range(3)), turn(), watching, fps=FPS, seconds=3)
    assert watching.data == [b"0", b"1", b"2"]


def test_only_what_the_rows_would_bring_back_is_at_hand() -> None:
    session = Session.open("s", [ChallengeType.BLINK], timeout_seconds=60, at=BEGIN, ttl=600)
    script = Script([seen()] * 400)
    play(session, numbered(range(400)), script, NoIdentity(), fps=FPS, seconds=50)
    ages = [BEGIN + 49.875 - f.at for f in session.frames]
    # The opening of three seconds, and the last twenty.
    assert all(age >= 46 or age <= 20.2 for age in ages)
    assert max(ages) > 49
