"""Each gesture passes soon after it begins, whoever does it and however often a second they are seen."""

from __future__ import annotations

import pytest

from shared.liveness.challenge import EXPRESSIONS, HEAD_MOVEMENTS, ChallengeType
from shared.liveness.gestures import thresholds
from shared.liveness.session import State
from tests.unit.liveness.people import FAR, GRIN, PEOPLE, Move, Person, film, first_pass, gesture, opened, play

#: When the person begins, in seconds after the first frame.
ONSET = 1.5
#: "Within a second or so" of the onset.
SOON = 1.1


@pytest.mark.parametrize("fps", [5, 8, 10, 15])
@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("kind", ChallengeType)
def test_a_gesture_passes_soon_after_its_onset(kind, person, fps):
    """Not before it, and within about a second: at whatever moment of it the frames happen to fall."""
    for phase in (0.0, 0.3, 0.6) if person == "usual" else (0.1 * fps % 1,):
        how = {"seconds": ONSET + 3, "fps": fps, "phase": phase / fps, "seed": int(10 * phase)}
        passed = first_pass(kind, film(PEOPLE[person], gesture(kind, ONSET), **how))
        assert passed is not None, how
        assert ONSET < passed <= ONSET + SOON, how


@pytest.mark.parametrize("kind", sorted(HEAD_MOVEMENTS | EXPRESSIONS))
def test_a_gesture_done_at_once_passes(kind):
    """Whoever is quick, and begins half a second after the first frame, need not begin again."""
    assert first_pass(kind, film(Person(), gesture(kind, 0.5), seconds=4)) is not None


@pytest.mark.parametrize("kind", sorted(set(ChallengeType) - {ChallengeType.BLINK}))
@pytest.mark.parametrize("onset", [0.2, 1.2])
def test_a_gesture_passes_at_the_persons_own_pace(kind, onset):
    """Fast and slow movements count alike."""
    passed = first_pass(kind, film(Person(), Move(1.5, FAR[kind], onset=onset, hold=1.0), seconds=5))
    assert passed is not None
    assert passed <= 1.5 + onset + SOON


@pytest.mark.parametrize("hold", [0.05, 0.5, 0.9])
def test_a_blink_passes_however_long_it_takes_within_reason(hold):
    """People who are asked to blink close their eyes for longer than they do by themselves."""
    blink = Move(1.5, FAR[ChallengeType.BLINK], onset=0.1, hold=hold, back=0.15)
    assert first_pass(ChallengeType.BLINK, film(Person(), blink, seconds=4, fps=15)) is not None


@pytest.mark.parametrize("kind", [ChallengeType.TURN_LEFT, ChallengeType.TURN_RIGHT])
def test_strong_turns_count_although_the_face_is_lost_on_the_way(kind):
    """The detector loses a head at 40 degrees and more: the frames before that are enough, or those on its way back."""
    far = {"yaw": 60.0 if kind is ChallengeType.TURN_LEFT else -60.0}
    frames = film(Person(), Move(1.5, far, onset=0.5, hold=0.8, back=0.5), seconds=4, fps=10)
    seen = [f for f in frames if abs(f.observation.face.yaw) < 40]
    assert len(seen) < len(frames)
    assert first_pass(kind, seen) is not None


@pytest.mark.parametrize("kind", ChallengeType)
def test_a_second_try_counts(kind):
    """Whoever did it too faintly can do it again within the same challenge."""
    faint = Move(1.2, {name: 0.25 * value for name, value in FAR[kind].items()}, onset=0.2, hold=0.3, back=0.2)
    passed = first_pass(kind, film(Person(), faint, gesture(kind, 3.0), seconds=6))
    assert passed is not None
    assert passed > 3.0


def test_all_seven_pass_in_one_session():
    """One gesture leaves the next one as it is, whatever comes after what."""
    kinds = list(ChallengeType)
    acts = [gesture(kind, 1.0 + 2.5 * i) for i, kind in enumerate(kinds)]
    for order in (1, -1):
        session = opened(*kinds[::order])
        acts = [gesture(kind, 1.0 + 2.5 * i) for i, kind in enumerate(kinds[::order])]
        play(session, film(Person(), *acts, seconds=19))
        assert session.state is State.COMPLETED
        assert session.is_live


@pytest.mark.parametrize("kind", ChallengeType)
def test_confidence_says_how_much_of_the_gesture_there_was(kind):
    """From a half at just enough, up; a strong gesture is surer than a faint one."""

    def confidence(strength: float) -> float:
        far = {name: min(0.95, strength * v) if "lid" in name else strength * v for name, v in FAR[kind].items()}
        usual = gesture(kind, 1.5)
        move = Move(1.5, far, onset=usual.onset, hold=usual.hold, back=usual.back)
        frames = film(Person(tremble=0), move, seconds=4, fps=10)
        return max(r.confidence for r in play(opened(kind), frames) if r.passed)

    faint, strong = confidence(0.8 if kind is not ChallengeType.LOOK_DOWN else 0.9), confidence(1.6)
    assert 0.5 <= faint < strong <= 1.0


#: Someone whose mouth rests as most people's do, not as wide as the others' here.
RESTFUL = Person(mouth_width=0.76, mouth_drop=0.2)


@pytest.mark.parametrize("fps", [5, 8, 15])
def test_who_grins_through_the_challenge_before_can_smile(fps):
    """A grin in most of the frames at hand is not how the mouth rests: a smile need not outdo it by a whole smile."""
    turning, smiling = ChallengeType.TURN_RIGHT, ChallengeType.SMILE
    session = opened(turning, smiling)
    broad = {name: 1.6 * far for name, far in FAR[smiling].items()}
    acts = [Move(-1, GRIN, hold=4.0), gesture(turning, 1.5), Move(4.4, broad, hold=2.0)]
    results = play(session, film(RESTFUL, *acts, seconds=6.5, fps=fps))
    assert [r.challenge_type for r in results if r.passed] == [turning, smiling]


@pytest.mark.parametrize("fps", [5, 8, 15])
def test_a_mouth_that_has_been_open_before_can_open(fps):
    """Lips that are apart in most of the frames at hand are not at rest there, if they meet in between."""
    asked = ChallengeType.OPEN_MOUTH
    acts = [Move(-9, {"mouth_open": 0.09}, hold=10.1, back=0.2), Move(1.6, {"mouth_open": 0.185}, hold=3.0)]
    assert first_pass(asked, film(RESTFUL, *acts, seconds=5, fps=fps)) is not None


@pytest.mark.parametrize("fps", [5, 8, 15])
@pytest.mark.parametrize("before", [ChallengeType.TURN_LEFT, ChallengeType.TURN_RIGHT, ChallengeType.LOOK_UP])
def test_who_turned_with_eyes_wide_open_can_blink(before, fps):
    """Eyes that look aside or up are wider open than those that look straight: these blink all the same."""
    far = {**FAR[before], "left_lid": -0.6, "right_lid": -0.6}
    session = opened(before, ChallengeType.BLINK)
    acts = [Move(1.2, far, hold=2.4), gesture(ChallengeType.BLINK, 5.0)]
    results = play(session, film(Person(left_eye=0.18, right_eye=0.17), *acts, seconds=6.5, fps=fps))
    assert [r.challenge_type for r in results if r.passed] == [before, ChallengeType.BLINK]


@pytest.mark.parametrize("fps", [5, 8, 15])
@pytest.mark.parametrize(("asked", "sign"), [(ChallengeType.TURN_LEFT, 1), (ChallengeType.TURN_RIGHT, -1)])
def test_who_first_looked_a_little_that_way_turns_all_the_same(asked, sign, fps):
    """What counts is where the head rests since, as that faces the camera."""
    aside = Move(-9, {"yaw": sign * 0.9 * thresholds.TURN}, hold=9.2, back=0.3)
    frames = film(Person(), aside, Move(4.0, {"yaw": sign * 1.6 * thresholds.TURN}, hold=1.0), seconds=6, fps=fps)
    passed = first_pass(asked, frames)
    assert passed is not None
    assert passed > 4.0


@pytest.mark.parametrize("fps", [5, 8, 15])
@pytest.mark.parametrize("sooner", [-0.3, 0.0, 0.3], ids=lambda s: f"{s:+}")
@pytest.mark.parametrize("asked", [ChallengeType.SMILE, ChallengeType.OPEN_MOUTH])
@pytest.mark.parametrize("before", sorted(HEAD_MOVEMENTS))
def test_a_mouth_may_begin_while_the_head_comes_back(before, asked, sooner, fps):
    """The next challenge is read with the head still turned; the mouth was seen at rest from the front before."""
    back, far = 3.0, {name: 1.2 * v for name, v in FAR[asked].items()}
    session = opened(before, asked)
    acts = [Move(1.5, FAR[before], hold=back - 1.9), Move(back - sooner, far, hold=3.0)]
    results = play(session, film(RESTFUL, *acts, seconds=back + 2, fps=fps))
    assert [r.challenge_type for r in results if r.passed] == [before, asked]


@pytest.mark.parametrize("fps", [5, 8, 15])
@pytest.mark.parametrize("asked", [ChallengeType.LOOK_UP, ChallengeType.LOOK_DOWN])
def test_the_head_may_go_up_or_down_while_it_comes_back_from_a_turn(asked, fps):
    """It goes aside on the way, and ends straight."""
    session = opened(ChallengeType.TURN_LEFT, asked)
    acts = [Move(1.5, FAR[ChallengeType.TURN_LEFT], hold=1.1), Move(2.9, FAR[asked], hold=2.0)]
    results = play(session, film(Person(), *acts, seconds=5, fps=fps))
    assert [r.challenge_type for r in results if r.passed] == [ChallengeType.TURN_LEFT, asked]


@pytest.mark.parametrize("fps", [4, 5, 6])
def test_a_quick_blink_that_falls_between_two_frames_counts(fps):
    """At a low frame rate no frame may show the eyes closed: one that shows them half way is enough between open ones."""
    asked = ChallengeType.BLINK
    quick = Move(2.0 - 0.024, {"left_lid": 0.9, "right_lid": 0.9}, onset=0.07, hold=0.02, back=0.09)
    frames = film(Person(tremble=0), quick, seconds=4, fps=fps)
    lowest = min(f.observation.face.left_eye for f in frames)
    assert thresholds.CLOSED < lowest / Person().left_eye < thresholds.GLIMPSED
    assert first_pass(asked, frames) is not None


def test_half_of_a_blink_does_not_count_where_there_are_frames_enough_for_a_whole_one():
    """At 8 frames a second and more lids that went half way only have not closed."""
    asked = ChallengeType.BLINK
    half = Move(2.0 - 0.06, {"left_lid": 0.25, "right_lid": 0.25}, onset=0.06, hold=0.01, back=0.06)
    for fps in (8, 10, 15):
        assert first_pass(asked, film(Person(tremble=0), half, seconds=4, fps=fps)) is None
