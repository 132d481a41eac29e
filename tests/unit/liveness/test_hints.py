"""What people are told, and the codes that programs go by."""

from __future__ import annotations

import itertools

import pytest

from shared.liveness import hints
from shared.liveness.challenge import EXPRESSIONS, HEAD_MOVEMENTS, OPPOSITES, ChallengeType
from shared.liveness.gestures import thresholds
from shared.liveness.hints import Hint
from shared.liveness.observation import Problem
from shared.liveness.session import FrameResult, State
from tests.unit.liveness.people import (
    FAR,
    SHUT,
    Move,
    Person,
    film,
    first_pass,
    gesture,
    observe,
    opened,
    play,
    submit,
    without_face,
)

#: Clients show their own words for these: a code may be added, and none may change or go.
FROZEN = {
    "astray", "blink", "blink_shorter", "cut_off", "ended", "face_covered", "further", "hold_it", "hold_still",
    "look_down", "look_straight", "look_up", "no_face", "open_eyes", "open_mouth", "other_way", "passed", "relax",
    "several_faces", "slow", "smile", "superseded", "timed_out", "too_blurred", "too_bright", "too_close", "too_dark",
    "too_far", "turn_left", "turn_right", "wait",
}  # fmt: skip


def every_hint() -> list[Hint]:
    values = [v for name, v in vars(hints).items() if isinstance(v, Hint)]
    tables = [v.values() for v in vars(hints).values() if isinstance(v, dict)]
    return values + [v for table in tables for v in table if isinstance(v, Hint)]


def codes(results: list[FrameResult]) -> list[str]:
    """The codes of the answers, without immediate repetitions."""
    return [code for code, _ in itertools.groupby(r.hint.code for r in results if r.hint)]


def test_no_code_has_changed_or_gone():
    """A client written for a code finds it in every later version."""
    assert {hint.code for hint in every_hint()} >= FROZEN


def test_new_codes_are_frozen_too():
    """Who adds a hint adds its code to the list above."""
    assert {hint.code for hint in every_hint()} <= FROZEN


@pytest.mark.parametrize("hint", every_hint(), ids=lambda hint: f"{hint.code}: {hint.text}")
def test_every_hint_has_a_code_and_a_sentence(hint):
    """Codes are made for programs, texts for people."""
    assert hint.code.replace("_", "").isalpha()
    assert hint.code == hint.code.lower()
    assert hint.text[0].isupper()
    assert hint.text.endswith(".")


@pytest.mark.parametrize("problem", Problem)
def test_each_problem_is_told_under_its_own_code(problem):
    """Whatever stands in the way of judging a frame, the answer to it says."""
    session = opened(ChallengeType.BLINK)
    (before, after) = play(session, film(Person(), seconds=0.2, changes={"problem": problem}))
    assert before.hint.code == after.hint.code == problem.value
    assert not after.passed


@pytest.mark.parametrize("kind", ChallengeType)
def test_at_rest_the_hint_says_what_to_do(kind):
    """Someone who has not begun is told what the challenge asks for, under the challenge's own code."""
    assert codes(play(opened(kind), film(Person(), seconds=2))) == [kind.lower()]


#: A good part of each gesture, and not enough.
NEARLY = {
    ChallengeType.TURN_LEFT: {"yaw": 0.7 * thresholds.TURN},
    ChallengeType.TURN_RIGHT: {"yaw": -0.7 * thresholds.TURN},
    ChallengeType.LOOK_UP: {"pitch": 0.7 * thresholds.LOOK_UP},
    ChallengeType.LOOK_DOWN: {"pitch": -0.7 * thresholds.LOOK_DOWN},
    ChallengeType.SMILE: {"mouth_width": 0.5 * thresholds.SMILE, "mouth_drop": -0.2 * thresholds.SMILE},
    ChallengeType.OPEN_MOUTH: {"mouth_open": 0.7 * thresholds.OPEN_MOUTH},
}


@pytest.mark.parametrize("kind", NEARLY)
def test_too_little_of_the_right_thing_asks_for_more(kind):
    """Well on the way, the hint says to go on, not what to do."""
    frames = film(Person(tremble=0), Move(1.5, NEARLY[kind], hold=9), seconds=2.8)
    assert first_pass(kind, frames) is None
    assert codes(play(opened(kind), frames)) == [kind.lower(), "further"]


@pytest.mark.parametrize("kind", sorted(HEAD_MOVEMENTS))
def test_the_opposite_is_called_the_other_way(kind):
    """Someone who mistakes left for right is told so while they do it."""
    wrong = play(opened(kind), film(Person(tremble=0), gesture(OPPOSITES[kind], 1.0), seconds=4))
    assert codes(wrong) == [kind.lower(), "other_way", kind.lower()]
    assert OPPOSITES[kind].lower().removeprefix("turn_").removeprefix("look_") not in hints.other_way(kind).text


@pytest.mark.parametrize("kind", sorted(HEAD_MOVEMENTS))
def test_well_on_the_wrong_way_it_is_said_already(kind):
    """Not only once it is as far the wrong way as the right one would have to be."""
    far = {name: -value for name, value in NEARLY[kind].items()}
    wrong = play(opened(kind), film(Person(tremble=0), Move(1.5, far, hold=9), seconds=3))
    assert codes(wrong) == [kind.lower(), "other_way"]


@pytest.mark.parametrize("kind", sorted(HEAD_MOVEMENTS))
def test_who_goes_aside_as_well_is_told_to_go_one_way(kind):
    """Far enough, and further along the other axis: more of the same would not help."""
    far = {name: 1.5 * value for name, value in NEARLY[kind].items()}
    aside = {"pitch": -40.0} if "yaw" in far else {"yaw": 34.0}
    results = play(opened(kind), film(Person(tremble=0), Move(1.5, {**far, **aside}, hold=9), seconds=3))
    assert codes(results)[-1] == "astray"
    assert not any(r.passed for r in results)


@pytest.mark.parametrize("kind", [ChallengeType.LOOK_UP, ChallengeType.LOOK_DOWN])
def test_who_looks_aside_instead_is_asked_to_look_straight(kind):
    """From there nothing that goes up or down can count."""
    results = play(opened(kind), film(Person(tremble=0), Move(1.5, {"yaw": 34.0}, hold=9), seconds=3))
    assert codes(results) == [kind.lower(), "look_straight"]


@pytest.mark.parametrize("kind", sorted(set(ChallengeType) - {ChallengeType.BLINK}))
def test_who_did_it_for_too_short_a_time_is_told_to_hold_it(kind):
    """Enough of it in one frame only: the person hears what was wrong, not merely the challenge again."""
    brief = Move(1.5, FAR[kind], onset=0.1, hold=0.03, back=0.1)
    results = play(opened(kind, timeout=9), film(Person(tremble=0), brief, seconds=5))
    assert not any(r.passed for r in results)
    assert codes(results) == [kind.lower(), "further", "hold_it", kind.lower()]


@pytest.mark.parametrize("lids", [{"left_lid": 0.27, "right_lid": 0.27}, {"left_lid": 0.9, "right_lid": 0.05}])
def test_lids_that_go_half_way_or_on_one_side_are_asked_to_close_all_the_way(lids):
    """Who blinks too faintly, or winks, need not guess why nothing happens."""
    faint = Move(1.5, lids, onset=0.12, hold=0.2, back=0.16)
    results = play(opened(ChallengeType.BLINK), film(Person(tremble=0), faint, seconds=4))
    assert not any(r.passed for r in results)
    assert codes(results) == ["blink", "further", "blink"]
    assert next(r.hint.text for r in results if r.hint.code == "further").startswith("Close both eyes all the way")


@pytest.mark.parametrize("kind", [ChallengeType.TURN_LEFT, ChallengeType.TURN_RIGHT])
def test_a_head_that_is_turned_already_is_asked_to_look_straight(kind):
    """It cannot turn from there, so it is told where to begin."""
    turned = film(Person(tremble=0), Move(-9, FAR[kind], hold=99), seconds=2)
    assert codes(play(opened(kind), turned))[-1] == "look_straight"


@pytest.mark.parametrize("kind", [ChallengeType.SMILE, ChallengeType.OPEN_MOUTH])
def test_a_mouth_that_does_it_already_is_asked_to_relax(kind):
    """A smile that was there before it was asked for has to go before it can come."""
    first = ChallengeType.TURN_LEFT
    acts = [gesture(first, 1.0), Move(1.0, FAR[kind], hold=99)]
    results = play(opened(first, kind), film(Person(tremble=0), *acts, seconds=4))
    assert codes(results)[-1] == "relax"
    assert not any(r.passed for r in results if r.challenge_type is kind)


@pytest.mark.parametrize("kind", [ChallengeType.SMILE, ChallengeType.OPEN_MOUTH])
def test_a_mouth_on_a_turned_head_is_asked_to_look_straight(kind):
    """A mouth is not judged from the side, and the person is told why nothing counts."""
    away = Move(2.0, {"yaw": thresholds.MOUTH_HIDDEN + 8}, hold=9)
    results = play(opened(kind), film(Person(tremble=0), away, gesture(kind, 2.5), seconds=4))
    assert codes(results)[-1] == "look_straight"
    assert not any(r.passed for r in results)


def test_closed_eyes_are_asked_to_open_and_told_when_it_took_too_long():
    """A blink is undone; the person hears that, and hears when it was a nap."""
    nap = Move(1.0, SHUT, onset=0.1, hold=thresholds.LONGEST_BLINK + 0.8, back=0.1)
    said = codes(play(opened(ChallengeType.BLINK), film(Person(tremble=0), nap, seconds=5)))
    assert said[:2] == ["blink", "open_eyes"]
    assert "blink_shorter" in said


@pytest.mark.parametrize("kind", ChallengeType)
def test_a_pass_is_praised(kind):
    """The frame that passes says so."""
    results = play(opened(kind), film(Person(), gesture(kind, 1.0), seconds=4))
    assert [r.hint.code for r in results if r.passed] == ["passed"]


def test_after_the_end_the_hint_says_how_to_begin_anew():
    """A client that goes on posting is told that this session is over."""
    session = opened(ChallengeType.BLINK)
    session.tick(session.expires_at)
    assert session.state is State.EXPIRED
    result = submit(session, film(Person(), seconds=0.1)[0])
    assert result.hint == hints.ENDED


def test_a_problem_is_told_before_anything_else():
    """Whoever cannot be seen is told that, not how far to turn."""
    session = opened(ChallengeType.TURN_LEFT)
    frames = film(Person(), Move(0.5, {"yaw": 12.0}, hold=9), seconds=2)
    play(session, frames)
    result = session.submit("x", without_face(), frames[-1].at + 0.1)
    assert result.hint == hints.for_problem(Problem.NO_FACE)


def test_there_is_no_hint_where_there_is_no_problem():
    """A usable frame has nothing wrong with it to tell."""
    assert hints.for_problem(observe().problem) is None


@pytest.mark.parametrize("kind", sorted(EXPRESSIONS))
def test_every_expression_has_its_own_words(kind):
    """No two challenges are asked for in the same sentence."""
    others = [hints.do(other).text for other in ChallengeType if other is not kind]
    assert hints.do(kind).text not in others
