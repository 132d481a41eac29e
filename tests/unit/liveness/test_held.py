"""A gesture that has been met: how long its pass waits, for what, and what goes with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence import Code, Finding, Preset
from shared.liveness.frame import Frame
from shared.liveness.held import LONGEST_WAIT, Held
from shared.liveness.session import Session, State
from tests.unit.liveness.people import PHOTO, T0, Person, film, gesture, observe, submit, without_face
from tests.unit.liveness.weights import WEIGHTS

TURN_LEFT, BLINK, SMILE = ChallengeType.TURN_LEFT, ChallengeType.BLINK, ChallengeType.SMILE


def opened(*types: ChallengeType, **how: float) -> Session:
    return Session.open("s", list(types), timeout_seconds=5.0, at=T0 - 1, **{"ttl": 300, **how})


def until_held(session: Session, frames: list[Frame]) -> list[Frame]:
    """Plays the frames up to the one that meets a gesture; those that are left."""
    for number, frame in enumerate(frames, 1):
        submit(session, frame)
        if session.held is not None:
            return frames[number:]
    raise AssertionError("never met")


def codes(held: Held | None) -> set[Code]:
    assert held is not None
    return {f.code for f in held.findings}


class TestWhatIsHeld:
    def test_is_when_the_gesture_was_met_how_surely_and_what_was_found(self) -> None:
        session = opened(SMILE)
        frames = film(Person(), gesture(SMILE, 1.5), seconds=6)
        left = until_held(session, frames)
        met = frames[len(frames) - len(left) - 1]
        assert session.held is not None
        assert (session.held.at, session.held.until) == (met.at, met.at + LONGEST_WAIT)
        assert session.held.confidence >= 0.5
        assert codes(session.held) >= {Code.STIFF, Code.FROZEN, Code.FLAT, Code.UNSEEN}
        assert all(f.bits is None and f.challenge == 0 for f in session.held.findings)
        assert session.findings == [], "not before the pass"
        assert session.challenges[0].passed_at is None

    def test_is_looked_at_anew_with_each_frame(self) -> None:
        session = opened(SMILE)
        lacking = []
        for frame in until_held(session, film(Person(), gesture(SMILE, 1.5), seconds=6)):
            submit(session, frame)
            if session.held is None:
                break
            lacking += [f.score for f in session.held.findings if f.code is Code.UNSEEN]
        assert lacking == sorted(lacking, reverse=True)
        assert lacking[0] > lacking[-1] > 0
        assert session.state is State.COMPLETED

    def test_goes_over_into_the_pass_as_it_was(self) -> None:
        """The pass is of the moment in which the gesture was met; the session ends when it is told."""
        session = opened(SMILE)
        left = until_held(session, film(Person(), gesture(SMILE, 1.5), seconds=6))
        held = session.held
        last = next(f for f in left if submit(session, f).passed)
        assert held is not None
        [challenge] = session.challenges
        assert (challenge.passed_at, challenge.confidence) == (held.at, held.confidence)
        assert (session.held, session.ended_at) == (None, last.at)
        assert codes(held) <= {f.code for f in session.findings}

    def test_is_the_newest_challenges(self) -> None:
        """One that is seen well passes at once where another follows it."""
        session = opened(TURN_LEFT, SMILE)
        until_held(session, film(Person(), gesture(TURN_LEFT, 1.5), gesture(SMILE, 4.0), seconds=8))
        assert session.held is not None
        assert session.remaining == 1
        assert {f.challenge for f in session.findings} == {0}
        assert {f.challenge for f in session.held.findings} == {1}

    def test_a_gesture_that_was_met_stays_met(self) -> None:
        """Whatever is shown meanwhile; and it is not asked for once more."""
        session = opened(TURN_LEFT)
        frames = film(Person(), gesture(TURN_LEFT, 1.5), seconds=9)
        left = until_held(session, frames)
        held = session.held
        assert held is not None
        for number, frame in enumerate(left[:8]):
            result = submit(session, replace(frame, observation=without_face()))
            assert (result.passed, result.confidence, result.challenge_type) == (
                False,
                round(held.confidence, 3),
                TURN_LEFT,
            )
            assert result.hint is not None
            assert result.hint.code == "no_face", "what is wrong with the picture is told first"
            assert session.held is not None, number
            assert (session.held.at, session.held.confidence) == (held.at, held.confidence)


class TestPatience:
    def test_ends_with_the_first_frame_after_it(self) -> None:
        """Which is not looked at any more."""
        session = opened(SMILE)
        until_held(session, film(Person(), gesture(SMILE, 1.5), seconds=6))
        assert session.held is not None
        until, held = session.held.until, session.held
        assert not submit(session, Frame("in time", until - 0.01, without_face())).passed
        found = session.held.findings
        result = submit(session, Frame("late", until + 5, observe()))
        assert (result.passed, result.state, result.is_live) == (True, State.COMPLETED, False)
        assert [replace(f, bits=None) for f in session.findings] == list(found)
        assert session.challenges[0].passed_at == held.at

    @pytest.mark.parametrize("early", [1e-3, 0.5])
    def test_is_a_second_longer_for_who_sends_nothing(self, early: float) -> None:
        """Its client is to learn of the pass by an answer."""
        session = opened(SMILE)
        until_held(session, film(Person(), gesture(SMILE, 1.5), seconds=6))
        assert session.held is not None
        due = session.due
        assert due == session.held.until + 1.0
        session.tick(due - early, WEIGHTS)
        assert session.state is State.IN_PROGRESS
        session.tick(due + 100, WEIGHTS)
        assert (session.state, session.ended_at, session.held) == (State.COMPLETED, due, None)

    def test_is_not_taken_from_the_time_for_the_gesture(self) -> None:
        """It was met before the deadline."""
        session = opened(SMILE)
        left = until_held(session, film(Person(), gesture(SMILE, 4.2), seconds=9))
        deadline = session.challenges[0].deadline
        assert session.held is not None
        assert session.held.at < deadline
        late = [replace(f, at=f.at + 1) for f in left]
        assert late[0].at > deadline
        results = [submit(session, f) for f in late[:10]]
        assert session.state is State.COMPLETED
        assert [r.passed for r in results].count(True) == 1

    @pytest.mark.parametrize("left", [0.5, LONGEST_WAIT])
    def test_does_not_outlive_the_session(self, left: float) -> None:
        """A session whose life is over expires, though a gesture of it is held."""
        frames = film(Person(), gesture(SMILE, 1.5), seconds=6)
        trial = opened(SMILE)
        until_held(trial, frames)
        assert trial.held is not None
        session = opened(SMILE, ttl=trial.held.at - T0 + 1 + left)
        until_held(session, frames)
        assert session.due == session.expires_at
        session.tick(session.expires_at, WEIGHTS)
        assert (session.state, session.is_live, session.score) == (State.EXPIRED, None, None)

    def test_of_a_challenge_that_is_not_the_last_ends_as_well(self) -> None:
        """What lacks is on record, and decides in the end."""
        session = opened(TURN_LEFT, SMILE)
        until_held(session, film(Person(), gesture(TURN_LEFT, 0.6), seconds=6, fps=2, phase=0.1))
        due = session.due
        assert due is not None
        session.tick(due, WEIGHTS)
        assert (session.state, session.remaining, session.challenges[1].started_at) == (State.IN_PROGRESS, 1, due)
        assert [f.score > 0 for f in session.findings if f.code is Code.UNSEEN] == [True]

    @pytest.mark.parametrize("late", [6.0, 3600.0])
    def test_and_what_it_leads_to_ends_too_where_time_is_told_late(self, late: float) -> None:
        """One tick lets the gesture pass, starts the next challenge's clock, and runs that out: each at its own time."""
        session = opened(TURN_LEFT, SMILE)
        until_held(session, film(Person(), gesture(TURN_LEFT, 0.6), seconds=6, fps=2, phase=0.1))
        passed = session.due
        assert passed is not None
        session.tick(passed + 5 + late, WEIGHTS)
        assert session.challenges[0].passed_at is not None
        assert session.challenges[1].started_at == passed
        assert (session.state, session.reason, session.ended_at) == (State.FAILED, "timed_out", passed + 5)
        assert [e.type for e in session.events][-2:] == ["session.challenge_passed", "session.failed"]
        assert session.due is None


class TestEvidence:
    def test_the_last_pass_waits_where_there_is_too_little_for_a_living_person(self) -> None:
        """A calm person will have moved in a moment."""
        frames = film(Person(), gesture(BLINK, 1.5), seconds=8)
        calm = [replace(f, observation=replace(f.observation, flex=0.0, flex_whole=0.0)) for f in frames]
        moved = T0 + 3.5
        session = opened(BLINK)
        results = [submit(session, one if one.at < moved else other) for one, other in zip(calm, frames, strict=True)]
        assert (session.state, session.is_live) == (State.COMPLETED, True)
        assert moved < session.ended_at < session.challenges[0].passed_at + LONGEST_WAIT
        told = {r.hint.code for r, f in zip(results, frames, strict=True) if 2.8 < f.at - T0 < 3.5 and r.hint}
        assert told == {"hold_still"}

    def test_a_photo_will_not(self) -> None:
        """After the patience the session ends without."""
        session = opened(BLINK)
        for frame in film(Person(), gesture(BLINK, 1.5), seconds=8, changes=PHOTO):
            submit(session, frame)
        assert (session.state, session.is_live) == (State.COMPLETED, False)
        assert session.reason in {Code.STIFF, Code.MIXED, Code.PLANAR}
        assert session.ended_at - session.challenges[0].passed_at == pytest.approx(LONGEST_WAIT, abs=0.13)

    @pytest.mark.parametrize(("preset", "waits"), [(Preset.LENIENT, False), (Preset.STRICT, True)])
    def test_how_much_is_enough_the_preset_says(self, preset: Preset, waits: bool) -> None:
        """Between the lenient and the strict threshold."""
        curves = {Code.STIFF: WEIGHTS.curves[Code.STIFF]}
        middling = replace(WEIGHTS, curves=curves, prior=-3.0)
        assert middling.thresholds[Preset.LENIENT] < 0.5 < middling.thresholds[Preset.STRICT]
        session = Session.open("s", [BLINK], timeout_seconds=5, at=T0 - 1, ttl=300, preset=preset)
        for frame in film(Person(), gesture(BLINK, 1.5), seconds=8):
            submit(session, frame, weighing=middling)
        assert (session.score, session.is_live) == (0.5, not waits)
        took = session.ended_at - session.challenges[0].passed_at
        assert took == pytest.approx(LONGEST_WAIT, abs=0.13) if waits else took < 1

    @pytest.mark.parametrize(("threshold", "live"), [(0.2, True), (0.7, False)])
    def test_a_threshold_of_the_sessions_own_goes_before_the_presets(self, threshold: float, live: bool) -> None:
        middling = replace(WEIGHTS, curves={Code.STIFF: WEIGHTS.curves[Code.STIFF]}, prior=-3.0)
        session = opened(BLINK)
        session.options = replace(session.options, threshold=threshold)
        for frame in film(Person(), gesture(BLINK, 1.5), seconds=8):
            submit(session, frame, weighing=middling)
        assert (session.score, session.is_live, session.threshold(middling)) == (0.5, live, threshold)

    def test_without_a_doubt_that_weighs_the_reason_is_that_too_little_was_seen(self) -> None:
        """Nothing speaks for an attack, and nothing for a person."""
        session = opened(BLINK)
        for frame in film(Person(), gesture(BLINK, 1.5), seconds=8):
            submit(session, frame, weighing=replace(WEIGHTS, curves={}))
        assert (session.state, session.is_live, session.reason) == (State.COMPLETED, False, Code.UNSEEN)
        assert Finding(Code.UNSEEN, 0.0, 0, bits=0.0) in session.findings
