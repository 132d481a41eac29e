"""Challenges that are revealed one at a time, and reactions that are faster than people are."""

from __future__ import annotations

from random import Random, SystemRandom

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.liveness import hints
from shared.liveness import session as session_module
from shared.liveness.challenge import ChallengeType, Prompt
from shared.liveness.draw import PAUSE, draw_pauses
from shared.liveness.evidence import FITTED, Finding
from shared.liveness.evidence.sight import LEAST_FOLLOWED
from shared.liveness.frame import Frame
from shared.liveness.gestures.judgement import Judgement
from shared.liveness.observation import Problem
from shared.liveness.options import NO_OPTIONS, Options
from shared.liveness.session import LONGEST_TRANSIT, REACTION, FrameResult, Session, State
from tests.unit.liveness.people import T0, Person, film, gesture, observe, play, submit, without_face
from tests.unit.liveness.weights import alive

TURN_LEFT, BLINK, SMILE = ChallengeType.TURN_LEFT, ChallengeType.BLINK, ChallengeType.SMILE
ALL_THREE = [TURN_LEFT, BLINK, SMILE]
PAUSES = (1.5, 0.75)


def opened(
    *, pauses: tuple[float, ...] = PAUSES, types: list[ChallengeType] = ALL_THREE, ttl: float = 300.0
) -> Session:
    return Session.open("s", types, timeout_seconds=5.0, at=T0 - 1, ttl=ttl, options=Options(pauses=pauses))


def types(session: Session, at: float) -> list[ChallengeType]:
    return [c.type for c in session.revealed(at)]


@pytest.fixture
def willing(eager: list[float], monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """As `eager`, with judges of the evidence that have seen a living person: a pass comes with its gesture."""
    monkeypatch.setattr(session_module, "examine", lambda _, asked, **__: alive(FITTED, asked))
    return eager


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A judge that passes whatever it is asked about; when it was asked, by its newest frame."""
    asked: list[float] = []

    def judge(kind: ChallengeType, frames: list[Frame], **_: float) -> Judgement:
        asked.append(frames[-1].at)
        return Judgement(True, 0.9, hints.PASSED)

    monkeypatch.setattr(session_module, "judge", judge)
    return asked


def at(session: Session, seconds: float, observation: object = None) -> FrameResult:
    """A frame `seconds` after T0."""
    return session.submit(f"f{seconds}", observation or observe(), T0 + seconds)  # type: ignore[arg-type]


class TestTheList:
    def test_holds_all_from_the_beginning_unless_asked_otherwise(self) -> None:
        session = Session.open("s", ALL_THREE, timeout_seconds=5.0, at=T0, ttl=300)
        assert session.options == NO_OPTIONS
        assert types(session, T0) == ALL_THREE
        assert session.events[0].data["challenges"] == ["TURN_LEFT", "BLINK", "SMILE"]

    def test_begins_with_the_first(self) -> None:
        """Which has no pause before it: the person has to be told something."""
        session = opened()
        assert types(session, T0 - 1) == [TURN_LEFT]
        assert session.events[0].data["challenges"] == ["TURN_LEFT"], "nor does a subscriber hear of the others"

    def test_grows_by_the_next_after_its_pause(self, willing: list[float]) -> None:
        session = opened()
        at(session, 0)
        assert at(session, 1).passed
        assert types(session, T0 + 1 + 1.49) == [TURN_LEFT]
        assert types(session, T0 + 1 + 1.5) == [TURN_LEFT, BLINK]
        assert at(session, 3).passed
        assert types(session, T0 + 3 + 0.74) == [TURN_LEFT, BLINK]
        assert types(session, T0 + 3 + 0.75) == ALL_THREE
        assert at(session, 5).session_complete
        assert types(session, T0 + 999) == ALL_THREE

    def test_does_not_grow_after_the_end(self, willing: list[float]) -> None:
        """What was not revealed in time is nobody's business afterwards: the next session may ask for it."""
        session = opened(ttl=3.0)
        at(session, 0)
        assert at(session, 1).passed
        session.tick(T0 + 60)
        assert (session.state, session.ended_at) == (State.EXPIRED, T0 + 2)
        assert types(session, T0 + 60) == [TURN_LEFT]

    def test_of_one_challenge_is_whole(self) -> None:
        assert types(opened(pauses=(), types=[SMILE]), T0 - 1) == [SMILE]


class TestThePause:
    def test_names_no_challenge_and_tells_to_wait(self, willing: list[float]) -> None:
        session = opened()
        at(session, 0)
        passing = at(session, 1)
        assert (passing.challenge_type, passing.passed, passing.challenges_remaining) == (TURN_LEFT, True, 2)
        asked = list(willing)
        for seconds, shown in ((1.1, observe()), (1.6, without_face()), (2.4, observe(yaw=40.0))):
            result = at(session, seconds, shown)
            assert (result.challenge_type, result.challenge, result.passed) == (None, None, False)
            assert (result.state, result.session_complete, result.is_live) == (State.IN_PROGRESS, False, None)
            assert (result.challenges_remaining, result.confidence) == (2, 0.0)
            assert result.hint == hints.WAIT
        assert willing == asked, "no judge is asked"

    def test_ends_with_the_challenge_and_what_to_show(self, willing: list[float]) -> None:
        session = opened()
        at(session, 0)
        at(session, 1)
        result = at(session, 2.5)
        assert result.challenge_type is BLINK
        assert result.challenge == Prompt(BLINK, "Blink your eyes", 5.0)

    def test_is_not_taken_from_the_persons_time(self, willing: list[float]) -> None:
        session = opened()
        at(session, 0)
        at(session, 1)
        second = session.challenges[1]
        assert (second.started_at, second.deadline) == (T0 + 2.5, T0 + 7.5)
        assert session.due == T0 + 7.5 + LONGEST_TRANSIT
        session.tick(T0 + 7.6)
        assert session.state is State.IN_PROGRESS

    def test_answers_a_frame_that_came_late_out_of_it_as_its_own_time_would(self, willing: list[float]) -> None:
        """Frames overtake each other: one from the pause, measured after the reveal, is not judged."""
        session = opened()
        at(session, 0)
        at(session, 1)
        assert at(session, 2.6).challenge_type is BLINK
        late = at(session, 2.4)
        assert (late.challenge_type, late.hint, late.passed) == (None, hints.WAIT, False)

    @pytest.mark.parametrize("kind", ChallengeType)
    def test_is_no_time_to_act_in(self, kind: ChallengeType) -> None:
        """The gesture must begin after the reveal: one that is over by then, or held since, does not count."""
        first = BLINK if kind is not BLINK else TURN_LEFT
        for held in (0.2, 4.0):
            early = gesture(kind, 3.0) if held < 1 else type(gesture(kind, 3.0))(3.0, gesture(kind, 3.0).far, hold=held)
            session = opened(pauses=(2.0,), types=[first, kind])
            frames = film(Person(), gesture(first, 1.5), early, seconds=6.5)
            results = play(session, frames)
            passed = session.challenges[0].passed_at
            assert passed is not None
            reveal = session.challenges[1].started_at
            assert reveal is not None
            assert reveal > T0 + 3.6, "the gesture began well before"
            until = T0 + 3.4 + held if held > 1 else T0 + 6.5
            judged = [r for r, f in zip(results, frames, strict=True) if reveal <= f.at <= until]
            assert judged
            assert not any(r.passed for r in judged)

    def test_after_it_a_gesture_passes_as_ever(self) -> None:
        session = opened(types=[TURN_LEFT, SMILE], pauses=(1.0,))
        results = play(session, film(Person(), gesture(TURN_LEFT, 1.0), gesture(SMILE, 4.0), seconds=6))
        assert session.is_live is True
        codes = [r.hint.code for r in results if r.hint]
        assert codes.count("wait") == pytest.approx(8, abs=1), "a second of it at 8 frames a second"

    def test_is_looked_at_by_the_judges_of_the_evidence(
        self, willing: list[float], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A replay would be cut over to its next piece while nothing is asked for."""
        looked_at: list[list[float]] = []

        def examine(frames: list[Frame], asked: list[ChallengeType], *, since: float, **_: object) -> list[Finding]:
            looked_at.append([round(f.at - T0, 3) for f in frames if f.at >= since])
            return []

        monkeypatch.setattr(session_module, "examine", examine)
        session = opened()
        for seconds in (0, 1, 1.5, 2, 2.5, 3):
            at(session, seconds)
        assert looked_at == [[0, 1], [1, 1.5, 2, 2.5, 3]]


class TestTheDrawOfPauses:
    @given(st.integers(1, 10), st.randoms(use_true_random=False))
    def test_one_before_each_but_the_first_within_the_bounds(self, count: int, chance: Random) -> None:
        pauses = draw_pauses(count, chance)
        assert len(pauses) == count - 1
        assert all(PAUSE[0] <= pause <= PAUSE[1] for pause in pauses)

    def test_are_spread_over_all_of_it(self) -> None:
        drawn = sorted(pause for _ in range(200) for pause in draw_pauses(10, SystemRandom()))
        assert drawn[0] < 0.55
        assert drawn[-1] > 1.95
        assert drawn[len(drawn) // 2] == pytest.approx(1.25, abs=0.1)


class TestReaction:
    def test_nothing_passes_before_a_person_can_react(self, willing: list[float]) -> None:
        """What is still held passes with the next frame."""
        session = opened(pauses=())
        for seconds in (0, 0.1, REACTION - 0.01):
            result = at(session, seconds)
            assert (result.passed, result.challenge_type, result.hint) == (False, TURN_LEFT, hints.do(TURN_LEFT))
        assert at(session, REACTION + 0.01).passed

    def test_counts_from_the_start_of_each_clock(self, willing: list[float]) -> None:
        session = opened(pauses=())
        at(session, 10, without_face())
        at(session, 20)
        assert not at(session, 20.2).passed
        assert at(session, 20.5).passed
        assert not at(session, 20.7).passed
        assert at(session, 20.9).passed

    def test_counts_from_the_reveal(self, willing: list[float]) -> None:
        session = opened()
        at(session, 0)
        at(session, 1)
        assert not at(session, 2.5 + REACTION - 0.01).passed
        assert at(session, 2.5 + REACTION + 0.01).passed

    def test_no_session_completes_before_the_evidence_has_seen_something(self, eager: list[float]) -> None:
        """A recording that begins with the gesture would be over before its rim was looked for twice."""
        session = opened(pauses=(), types=[TURN_LEFT])
        frames = film(Person(), seconds=3)
        told = next(f.at - T0 for f, result in zip(frames, play(session, frames), strict=True) if result.passed)
        assert session.challenges[0].passed_at == pytest.approx(T0 + REACTION, abs=0.13)
        assert LEAST_FOLLOWED <= told <= LEAST_FOLLOWED + 0.125

    def test_tells_what_is_wrong_with_the_picture_all_the_same(self) -> None:
        session = opened(pauses=())
        at(session, 0)
        result = at(session, 0.1, observe(problem=Problem.TOO_DARK))
        assert result.hint == hints.for_problem(Problem.TOO_DARK)

    def test_a_late_frame_is_judged_with_those_that_overtook_it(self, willing: list[float]) -> None:
        """A pass is given as of the newest frame, so that is what must not be too soon."""
        session = opened(pauses=())
        at(session, 0)
        assert not at(session, 0.25).passed
        session.frames.append(Frame("overtook", T0 + 0.4, observe()))
        assert at(session, 0.28).passed
        assert session.challenges[0].passed_at == T0 + 0.4


def test_a_whole_session_by_a_person_is_live() -> None:
    session = opened(pauses=(0.5, 2.0))
    acts = [gesture(TURN_LEFT, 1.0), gesture(BLINK, 3.2), gesture(SMILE, 6.5)]
    for frame in film(Person(), *acts, seconds=8.5):
        submit(session, frame)
    assert (session.state, session.is_live) == (State.COMPLETED, True)


def test_the_eyes_are_watched_while_a_blink_is_asked_for_and_known_to_be() -> None:
    """Not before its reveal: how long frames take must not tell what comes."""
    session = opened(types=[TURN_LEFT, BLINK])
    assert not session.watches_eyes(T0)
    turn, blink = session.challenges
    turn.started_at, turn.passed_at = T0, T0 + 2
    blink.started_at = T0 + 3
    assert not session.watches_eyes(T0 + 2.9)
    assert session.watches_eyes(T0 + 3)
    blink.passed_at = T0 + 4
    assert not session.watches_eyes(T0 + 4)
