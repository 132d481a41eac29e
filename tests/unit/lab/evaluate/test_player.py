"""The offline player: a session's answers by the clock of the pictures."""

from __future__ import annotations

from dataclasses import replace
from itertools import count, repeat

import pytest

from ops.lab.evaluate.identity import NoIdentity
from ops.lab.evaluate.player import BEGIN, play
from ops.lab.evaluate.video import Shot
from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence import FITTED, Code, Finding
from shared.liveness.evidence.sight import LEAST_AFTER
from shared.liveness.observation import Observation, Problem
from shared.liveness.session import Session, State
from tests.unit.lab.evaluate.helpers import Script, numbered, seen

FPS = 8
#: Whoever does what is asked, and is seen doing it, is live.
ANYBODY = replace(FITTED, curves={}, prior=10.0)


def opened(*types: ChallengeType) -> Session:
    return Session.open("s", list(types), timeout_seconds=5, at=BEGIN, ttl=600)


def turn() -> Script:
    """Two seconds of rest, half a second of turning to the left by 40 degrees, then held."""
    return Script([seen(yaw=min(40.0, max(0.0, (i - 16) * 10.0))) for i in range(80)])


def test_a_gesture_passes_at_its_second_with_its_picture() -> None:
    session = opened(ChallengeType.TURN_LEFT)
    played = play(session, numbered(range(80)), turn(), NoIdentity(), fps=FPS, seconds=10, weighing=ANYBODY)
    assert [p.challenge for p in played.passes] == ["TURN_LEFT"]
    passed, met = played.passes[0], session.challenges[0].passed_at - BEGIN
    assert 2.0 < met < 2.5
    assert met + LEAST_AFTER <= passed.at < met + LEAST_AFTER + 1 / FPS, "as soon as enough was seen after it"
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
    class Watching(NoIdentity):
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


def test_what_is_left_out_takes_its_time_and_is_not_answered() -> None:
    heard = []

    def sparse():
        for number in range(60):
            reply = yield Shot(str(number).encode()) if number % 4 == 0 else None
            heard.append(reply)

    script = turn()
    played = play(opened(ChallengeType.BLINK), sparse(), script, NoIdentity(), fps=FPS, seconds=3)
    assert [number for number, _, _ in script.calls] == [0, 4, 8, 12, 16, 20]
    assert [at - BEGIN for _, _, at in script.calls] == pytest.approx([0, 0.5, 1, 1.5, 2, 2.5])
    assert played.frames == 6
    assert [reply is not None for reply in heard[:8]] == [True, False, False, False] * 2


def test_a_frame_that_arrives_late_is_judged_at_its_arrival() -> None:
    script = turn()
    late = (Shot(str(number).encode(), late=0.05) for number in range(80))
    played = play(opened(ChallengeType.TURN_LEFT), late, script, NoIdentity(), fps=FPS, seconds=10)
    assert script.calls[1][2] - BEGIN == pytest.approx(0.175)
    assert played.passes[0].at == played.seconds == pytest.approx((played.frames - 1) / FPS + 0.05)


@pytest.mark.parametrize("ends", [True, False])
def test_a_client_that_falls_silent_is_timed_out_by_the_clock(ends: bool) -> None:
    def source():
        yield from numbered(range(8))
        if not ends:
            yield from repeat(None)

    played = play(opened(ChallengeType.TURN_LEFT), source(), turn(), NoIdentity(), fps=FPS, seconds=10)
    assert (played.session.state, played.session.reason) == (State.FAILED, "timed_out")
    assert (played.frames, played.seconds) == (8, 5.0)


def test_a_client_that_never_shows_a_face_expires() -> None:
    script = Script([Observation(0, Problem.NO_FACE)] * 8)
    played = play(opened(ChallengeType.TURN_LEFT), numbered(range(8)), script, NoIdentity(), fps=FPS, seconds=10)
    assert played.session.state is State.EXPIRED
    assert played.seconds == 600


def test_a_pass_that_waits_for_comparisons_comes_with_time_alone() -> None:
    """The client stops at the frame that shows the turn; nothing is compared, and the session is concluded all the same."""
    session = Session.open("s", [ChallengeType.TURN_LEFT], timeout_seconds=5, at=BEGIN, ttl=600, identify=True)

    def stopping():
        for number in range(80):
            reply = yield Shot(str(number).encode())
            if reply.confidence > 0.5 and reply.hint.code in ("hold_still", "look_straight"):
                return

    waited = []

    class Patient(NoIdentity):
        def wait(self, session, at) -> None:
            waited.append(at)

    played = play(session, stopping(), turn(), Patient(), fps=FPS, seconds=10)
    assert session.state is State.COMPLETED
    assert [p.challenge for p in played.passes] == ["TURN_LEFT"]
    assert played.passes[0].shot.data == str(played.frames - 1).encode()
    assert played.seconds > played.passes[0].at + 1
    assert waited == [session.ended_at]


@pytest.mark.parametrize(("prior", "live"), [(-60.0, False), (60.0, True)])
@pytest.mark.parametrize("silent", [False, True])
def test_the_verdict_is_that_of_the_weights_at_hand(prior: float, live: bool, silent: bool) -> None:
    """Whether a frame concludes the session, or time alone, after its client has stopped."""
    session = Session.open("s", [ChallengeType.TURN_LEFT], timeout_seconds=5, at=BEGIN, ttl=600, identify=silent)

    def stopping():
        for number in range(80):
            yield Shot(str(number).encode())
            # What was seen by then is enough: what lacks would decide by itself.
            if silent and session.held is not None and Finding(Code.UNSEEN, 0.0, 0) in session.held.findings:
                return

    weighing = replace(FITTED, prior=prior)
    play(session, stopping(), turn(), NoIdentity(), fps=FPS, seconds=10, weighing=weighing)
    assert session.state is State.COMPLETED
    assert session.is_live is live


@pytest.mark.parametrize("prior", [0.0, 60.0])
def test_a_client_that_falls_silent_at_its_gesture_is_live_by_no_weights(prior: float) -> None:
    """Too little was seen of it, and that decides."""
    session = opened(ChallengeType.TURN_LEFT)

    def stopping():
        for number in range(80):
            yield Shot(str(number).encode())
            if session.held is not None:
                return

    weighing = replace(FITTED, prior=prior)
    play(session, stopping(), turn(), NoIdentity(), fps=FPS, seconds=10, weighing=weighing)
    assert (session.state, session.is_live, session.reason) == (State.COMPLETED, False, Code.UNSEEN)
    assert session.score == 0
