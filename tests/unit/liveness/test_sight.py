"""How much of a face was seen: the least that must be, what a client can do about it, and what it costs a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence import FITTED, Code, Finding, Preset, Weighing, examine
from shared.liveness.evidence.sight import (
    LEAST_AFTER,
    LEAST_FOLLOWED,
    LONGEST_STEP,
    LOOK_BACK,
    followed,
    too_sparse,
    unseen,
)
from shared.liveness.frame import Frame
from shared.liveness.observation import Observation, Problem
from shared.liveness.session import Session, State
from tests.unit.liveness.people import FAR, PHOTO, T0, Move, Person, film, gesture, observe, submit, without_face
from tests.unit.liveness.weights import WEIGHTS

TURN_LEFT, BLINK, SMILE = ChallengeType.TURN_LEFT, ChallengeType.BLINK, ChallengeType.SMILE
TIMES = st.lists(st.floats(0.01, 1.5), min_size=1, max_size=30).map(lambda steps: np.cumsum(steps).tolist())


def at(times: Sequence[float], seen: Observation | None = None) -> list[Frame]:
    """Frames of one face at these seconds, each a picture of its own."""
    seen = seen or observe()
    return [Frame(str(i), T0 + t, replace(seen, digest=f"picture {i}")) for i, t in enumerate(times)]


def lacks(times: Sequence[float], *, since: float = 0.0, met: float = 0.0, after: float = 0.0) -> float:
    return unseen(at(times), since=T0 + since, met=T0 + met, after=after)


def opened(*types: ChallengeType, preset: Preset = Preset.STANDARD) -> Session:
    return Session.open("s", list(types), timeout_seconds=20.0, at=T0 - 1, ttl=300, preset=preset)


def steadily(fps: float, seconds: float) -> list[float]:
    return np.arange(0, seconds + 1e-9, 1 / fps).tolist()


class TestFollowing:
    def test_a_face_is_followed_from_frame_to_frame(self) -> None:
        assert followed(at([0, 0.1, 0.4, 0.8])) == pytest.approx(0.8)

    @pytest.mark.parametrize(("step", "seen"), [(LONGEST_STEP - 0.01, LONGEST_STEP - 0.01), (LONGEST_STEP + 0.01, 0.0)])
    def test_but_not_over_a_step_that_is_too_long(self, step: float, seen: float) -> None:
        assert followed(at([0, step])) == pytest.approx(seen, abs=1e-6)

    @pytest.mark.parametrize(
        "other",
        [
            without_face(),
            observe(problem=Problem.TOO_BLURRED),
            observe(faces=2, problem=Problem.SEVERAL_FACES),
            observe(box=(0.6, 0.2, 0.3, 0.35)),
            observe(scale=0.2),
        ],
        ids=["nobody", "blurred", "two", "jumped", "grew"],
    )
    def test_nor_to_a_frame_that_does_not_show_the_same_face(self, other: Observation) -> None:
        """And neither from it to the next one."""
        one, _, three = at([0, 0.2, 0.4])
        assert followed([one, Frame("1", T0 + 0.2, replace(other, digest="other")), three]) == 0

    def test_nor_to_the_same_picture_once_more(self) -> None:
        """A picture that stands still shows nothing, however often it is sent."""
        again = [Frame(str(i), T0 + i / 8, observe(digest="one picture")) for i in range(40)]
        assert followed(again) == 0
        assert followed([replace(f, observation=replace(f.observation, digest="")) for f in again]) > 4, (
            "without digests"
        )

    @given(TIMES)
    def test_no_more_is_followed_than_passes(self, times: list[float]) -> None:
        assert 0 <= followed(at(times)) <= times[-1] - times[0] + 1e-6


class TestTheMinimum:
    def test_nothing_lacks_after_a_second(self) -> None:
        assert lacks(steadily(8, LEAST_FOLLOWED)) == 0
        assert lacks(steadily(8, LEAST_FOLLOWED - 0.125)) == pytest.approx(0.125, abs=0.001)

    @pytest.mark.parametrize("times", [[], [0.0]])
    def test_all_lacks_where_nothing_was_followed(self, times: list[float]) -> None:
        assert lacks(times) == 1

    def test_after_the_last_gesture_some_of_it_must_be_seen(self) -> None:
        """However much came before: a change of pictures shows by what comes after it."""
        times = steadily(10, 5)
        assert lacks(times, met=5.0, after=LEAST_AFTER) == 1
        assert lacks(times, met=5.0 - LEAST_AFTER / 2, after=LEAST_AFTER) == pytest.approx(0.5, abs=0.01)
        assert lacks(times, met=5.0 - LEAST_AFTER, after=LEAST_AFTER) == 0

    def test_of_both_lacks_the_larger_counts(self) -> None:
        """A second that came long ago does not make up for a face that is gone."""
        assert lacks([*steadily(10, 2), 9.0, 9.5, 10.0], met=9.0, after=LEAST_AFTER) == 1

    def test_what_came_shortly_before_the_challenge_counts(self) -> None:
        """A quick answer takes a few frames; what is older than that does not help."""
        times = steadily(8, 4)
        assert lacks(times, since=3.75, met=3.75) == 0
        assert unseen(at(times[:9]) + at([9.0, 9.25]), since=T0 + 9.0, met=T0 + 9.0, after=0.0) > 0.7
        assert 9.0 - times[8] > LOOK_BACK

    @given(TIMES, st.floats(0, 10), st.floats(0, 10))
    def test_it_is_a_share(self, times: list[float], since: float, met: float) -> None:
        assert 0 <= lacks(times, since=since, met=met, after=LEAST_AFTER) <= 1

    @given(TIMES, st.integers(0))
    def test_frames_that_are_unusable_never_help(self, times: list[float], which: int) -> None:
        """Each black frame that takes a face's place takes from what was followed."""
        frames = at(times)
        black = list(frames)
        black[which % len(black)] = replace(black[which % len(black)], observation=without_face())
        when = {"since": T0, "met": T0, "after": LEAST_AFTER}
        assert unseen(black, **when) >= unseen(frames, **when)

    @pytest.mark.parametrize(("after", "enough"), [(0.0, True), (LEAST_AFTER, False)])
    def test_it_is_a_finding_that_decides(self, after: float, enough: bool) -> None:
        """Beside the best that others may say."""
        frames = at(steadily(8, 2))
        findings = examine(frames, [BLINK], since=T0, met=T0 + 2, opening_until=T0 + 3, after=after)
        [lack] = [f for f in findings if f.code is Code.UNSEEN]
        assert (lack.score == 0) is enough
        for weighing in (FITTED, WEIGHTS):
            verdict = weighing.weigh(findings, [BLINK])
            assert (verdict.score >= weighing.thresholds[Preset.STRICT]) is enough
            assert (verdict.gravest == replace(lack, bits=-40.0)) is not enough


class TestSeldom:
    @pytest.mark.parametrize(("fps", "too"), [(1, True), (2, True), (2.5, False), (3, False), (8, False)])
    def test_frames_come_too_seldom(self, fps: float, too: bool) -> None:
        assert too_sparse(at(steadily(fps, 5))) is too

    def test_one_gap_is_none(self) -> None:
        """Nor are frames that are not there."""
        assert not too_sparse(at([0, 0.1, 0.2, 2.0, 2.1, 2.2]))
        assert not too_sparse([])
        assert not too_sparse(at([0.0]))

    def test_the_newest_count(self) -> None:
        """A connection may have become slow."""
        assert too_sparse(at([*steadily(10, 3), 4, 5, 6, 7]))


# --- whole sessions -----------------------------------------------------------------------------------------------------


def shown(session: Session, frames: Sequence[Frame], weighing: Weighing = WEIGHTS) -> float | None:
    """Plays the frames; seconds from the film's beginning to the answer that completed the session, if any did."""
    for frame in frames:
        if submit(session, frame, weighing=weighing).session_complete:
            return frame.at - T0
    return None


def held_long(kind: ChallengeType, begins: float) -> Move:
    """A gesture that even a slow client sees."""
    return Move(begins, FAR[kind], onset=0.4, hold=2.0)


def with_black_frames(frames: Sequence[Frame], each: int) -> list[Frame]:
    """A black frame follows every so-and-so-manieth frame, half way to the next."""
    mixed = []
    for number, (frame, following) in enumerate(pairwise(frames), 1):
        mixed.append(frame)
        if number % each == 0:
            mixed.append(Frame(f"black {frame.id}", (frame.at + following.at) / 2, without_face()))
    return mixed


@pytest.mark.parametrize("preset", Preset)
@pytest.mark.parametrize("kind", [TURN_LEFT, SMILE, ChallengeType.LOOK_UP, ChallengeType.OPEN_MOUTH])
@pytest.mark.parametrize("seen", [{}, PHOTO], ids=["a person", "a photo"])
def test_two_frames_a_second_with_black_ones_and_silence_are_not_live(
    kind: ChallengeType, preset: Preset, seen: dict[str, float]
) -> None:
    """The judges can compare nothing and say nothing; the client is gone before anything else could be seen."""
    frames = film(Person(), held_long(kind, 3.0), seconds=9, fps=2, changes=seen)
    session = opened(kind, preset=preset)
    for frame in with_black_frames(frames, 2):
        submit(session, frame)
        if session.held is not None:
            break
    assert session.held is not None
    session.tick(session.due or 0.0, WEIGHTS)
    assert (session.state, session.is_live, session.reason) == (State.COMPLETED, False, Code.UNSEEN)


@pytest.mark.parametrize("each", [1, 2])
def test_nor_are_they_when_the_client_goes_on(each: int) -> None:
    """Frames that cannot be followed are as good as none, and the person is told what is wrong."""
    frames = film(Person(), held_long(TURN_LEFT, 3.0), seconds=12, fps=2)
    session = opened(TURN_LEFT)
    hints = {result.hint.code for frame in with_black_frames(frames, each) if (result := submit(session, frame)).hint}
    assert (session.state, session.is_live, session.reason) == (State.COMPLETED, False, Code.UNSEEN)
    assert hints & {"slow", "hold_still"}


@pytest.mark.parametrize(("fps", "code"), [(2, "slow"), (10, "hold_still")])
def test_who_waits_is_told_why(fps: float, code: str) -> None:
    """That frames come too too_sparse, or that it takes a moment."""
    session = opened(TURN_LEFT)
    results = [
        (submit(session, f), session.held) for f in film(Person(), held_long(TURN_LEFT, 3.0), seconds=6, fps=fps)
    ]
    waiting = [r for r, held in results if held is not None]
    assert len(waiting) >= 2
    assert {r.hint.code for r in waiting if r.hint} == {code}


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("fps", [3, 5, 8, 15])
def test_a_person_over_a_bad_line_is_live(fps: float, seed: int) -> None:
    """15 % of the frames are lost; under every preset, by the service's own weights as well as by the tests'."""
    frames = film(Person(), held_long(TURN_LEFT, 2.0), held_long(SMILE, 7.0), seconds=14, fps=fps, seed=seed)
    chance = np.random.default_rng(seed)
    kept = [f for f in frames if chance.random() > 0.15]
    for weighing in (FITTED, WEIGHTS):
        for preset in (Preset.STANDARD, Preset.STRICT):
            session = opened(TURN_LEFT, SMILE, preset=preset)
            shown(session, kept, weighing)
            assert (session.state, session.is_live, session.reason) == (State.COMPLETED, True, None)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ChallengeType)
def test_the_minimum_costs_a_person_less_than_a_second(kind: ChallengeType, seed: int) -> None:
    """Eight frames a second: the answer that tells of the pass comes so long after the one that met the gesture."""
    frames = film(Person(), gesture(kind, 1.5), seconds=6, seed=seed)
    session = opened(kind)
    told = shown(session, frames)
    met = session.challenges[0].passed_at
    assert told is not None
    assert met is not None
    assert LEAST_AFTER <= T0 + told - met + 1e-6 <= LEAST_AFTER + 0.2
    assert session.is_live


@pytest.mark.parametrize(("fps", "times"), [(15, 2), (8, 2), (5, 3), (3, 5)])
def test_a_camera_that_is_slower_than_its_client_costs_nothing(fps: float, times: int) -> None:
    """Each picture is sent several times, and the face is followed from picture to picture all the same."""
    pictures = film(Person(), held_long(SMILE, 2.0), seconds=8, fps=fps)
    frames = [
        replace(f, id=f"{f.id}.{n}", at=f.at + n / (fps * times)) for f in pictures for n in range(times)
    ]  # fmt: skip
    once, often = opened(SMILE), opened(SMILE)
    told = shown(once, pictures)
    assert told is not None
    told_often = shown(often, frames)
    assert told_often is not None
    assert often.is_live is once.is_live is True
    assert told_often <= told + 1 / fps


def test_only_the_last_gesture_has_to_be_seen_on() -> None:
    """The one after it shows what came after the others."""
    frames = film(Person(), gesture(TURN_LEFT, 1.5), gesture(SMILE, 4.0), seconds=7)
    session = opened(TURN_LEFT, SMILE)
    shown(session, frames)
    first, second = session.challenges
    assert first.passed_at == second.started_at
    assert session.ended_at - second.passed_at >= LEAST_AFTER


def test_a_challenge_that_was_passed_unseen_is_not_forgotten() -> None:
    """A client that is slow in one challenge is not live, however well the others are seen."""
    slow = film(Person(), held_long(TURN_LEFT, 3.0), seconds=9, fps=2)
    session = opened(TURN_LEFT, SMILE)
    shown(session, slow)
    assert (session.remaining, session.state) == (1, State.IN_PROGRESS)
    later = film(Person(), gesture(SMILE, 2.0), seconds=8, seed=1)
    shown(session, [replace(f, id=f"b{f.id}", at=f.at + 9) for f in later])
    assert (session.state, session.is_live, session.reason) == (State.COMPLETED, False, Code.UNSEEN)
    lacking = [(f.challenge, f.score > 0) for f in session.findings if f.code is Code.UNSEEN]
    assert lacking == [(0, True), (1, False)]


def test_what_lacks_is_among_the_findings_and_zero_where_nothing_does() -> None:
    session = opened(SMILE)
    shown(session, film(Person(), gesture(SMILE, 1.5), seconds=6))
    assert [f for f in session.findings if f.code is Code.UNSEEN] == [Finding(Code.UNSEEN, 0.0, 0, bits=0.0)]
