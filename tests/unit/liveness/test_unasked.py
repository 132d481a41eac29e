"""The judge of recordings: gestures that nobody had asked for."""

from __future__ import annotations

from itertools import permutations

import pytest

from shared.liveness.challenge import OPPOSITES, ChallengeType
from shared.liveness.evidence import FITTED, SPECIES, Code, Preset, examine
from shared.liveness.evidence.unasked import unasked
from shared.liveness.session import Session, State
from tests.unit.liveness.people import FAR, GRIN, PEOPLE, SYLLABLE, T0, Move, Person, Waver, film, gesture, play

TURN_LEFT, TURN_RIGHT, LOOK_UP, LOOK_DOWN, BLINK, SMILE, OPEN_MOUTH = ChallengeType
#: A recording's order: one after the other, three seconds each.
EVERYTHING = [OPEN_MOUTH, LOOK_DOWN, SMILE, TURN_RIGHT, BLINK, LOOK_UP, TURN_LEFT]
USUAL = Person()


def shown(*acts, asked, person=USUAL, seconds=12.0, **how):
    """The judge's count over one challenge that began with the film."""
    frames = film(person, *acts, seconds=seconds, **how)
    return unasked(frames, asked, since=T0, opening_until=T0 + 3)


def of_session(types, frames, *, timeout, preset=Preset.STANDARD):
    """A session that these frames are played to."""
    session = Session.open("s", types, timeout_seconds=timeout, at=T0, ttl=900, preset=preset)
    play(session, frames)
    return session


def scores(session):
    return [f.score for f in session.findings if f.code is Code.UNASKED]


@pytest.mark.parametrize("fps", [5, 8, 15])
@pytest.mark.parametrize("person", PEOPLE.values(), ids=PEOPLE)
@pytest.mark.parametrize("kind", sorted(set(ChallengeType) - {BLINK, OPEN_MOUTH}))
def test_a_gesture_from_rest_is_counted(kind, person, fps):
    """Whoever makes it, and however often they are filmed."""
    plainly = Move(3.0, {name: 1.3 * value for name, value in FAR[kind].items()})
    assert shown(plainly, asked=[OPEN_MOUTH], person=person, fps=fps) == 1


@pytest.mark.parametrize("kind", ChallengeType)
def test_what_is_asked_for_is_not(kind):
    """Nor is it, by those who hesitate and do it again, for any other gesture."""
    assert shown(gesture(kind, 1.5), gesture(kind, 5.0), asked=[kind]) == 0


@pytest.mark.parametrize("kind", OPPOSITES)
def test_nor_is_its_opposite(kind):
    """People mix up left and right, and are told that it was the wrong way round."""
    assert shown(gesture(OPPOSITES[kind], 2.0), gesture(kind, 6.0), asked=[kind]) == 0


def test_nor_is_what_was_asked_for_earlier():
    """A smile that comes again is no surprise."""
    assert shown(gesture(SMILE, 2.0), gesture(TURN_LEFT, 6.0), asked=[SMILE, TURN_LEFT]) == 0


def test_nor_are_blinks_speech_and_little_movements():
    """People do these all the time."""
    restless = [
        gesture(BLINK, 1.0),
        gesture(BLINK, 4.0),
        Waver(2.0, 9.0, SYLLABLE),
        Move(5.0, {"yaw": 15.0, "pitch": -8.0}),
    ]
    assert shown(*restless, asked=[LOOK_UP]) == 0


def test_nor_is_coming_back_from_the_gesture_before():
    """Who is still turned, or laughs, when the next challenge begins has begun nothing."""
    still_there = [Move(-1.0, {"yaw": 45.0}, hold=2.0), Move(-1.0, GRIN, hold=2.0)]
    assert shown(*still_there, asked=[BLINK]) == 0


def test_nor_is_one_bad_frame():
    """What a single picture shows is a picture's answer."""
    glitch = Move(4.98, {"yaw": 60.0}, onset=0.01, hold=0.08, back=0.01)
    assert shown(glitch, asked=[BLINK]) == 0


def test_nor_is_what_a_turned_head_seems_to_do():
    """Its mouth is half out of sight, and turning far shows as looking up."""
    turned = Move(3.0, {"yaw": 50.0, "pitch": 24.0, "mouth_width": 0.4, "mouth_open": 0.3}, hold=2.0)
    assert shown(turned, asked=[TURN_LEFT]) == 0


def test_each_kind_counts_once():
    """Who laughs all the time laughs."""
    laughing = [Move(begins, GRIN, hold=0.5) for begins in (1.5, 4.0, 6.5, 9.0)]
    assert shown(*laughing, asked=[LOOK_UP]) == 1


def test_nobody_is_judged_without_a_face():
    assert unasked([], [BLINK], since=T0, opening_until=T0 + 3) is None
    frames = film(USUAL, seconds=3.0)
    assert unasked(frames, [BLINK], since=T0 + 60, opening_until=T0 + 3) is None
    assert Code.UNASKED not in {
        f.code for f in examine(frames, [BLINK], since=T0 + 60, met=T0 + 63, opening_until=T0 + 3)
    }


@pytest.mark.parametrize("types", [t for t in permutations(ChallengeType, 3) if t[0] in (SMILE, LOOK_UP, TURN_RIGHT)])
def test_who_does_what_is_asked_does_nothing_else(types):
    """Whole sessions, in any order."""
    frames = film(USUAL, *(gesture(kind, 1.5 + 3.0 * i) for i, kind in enumerate(types)), seconds=12.0)
    session = of_session(list(types), frames, timeout=10.0)
    assert session.state is State.COMPLETED
    assert scores(session) == [0, 0, 0]


class TestARecording:
    """Of all gestures, over and over, before a service that gives twenty seconds for each challenge."""

    FRAMES = film(USUAL, *(gesture(kind, 1.5 + 3.0 * i) for i, kind in enumerate(EVERYTHING * 3)), seconds=63.0)
    #: Each asked for when it has just gone by.
    TYPES = (TURN_RIGHT, SMILE, LOOK_DOWN)

    def test_meets_its_challenges_and_is_not_live(self):
        session = of_session(list(self.TYPES), self.FRAMES, timeout=20.0)
        assert session.state is State.COMPLETED
        assert session.is_live is False
        assert session.reason == "unasked"

    def test_is_counted_challenge_by_challenge(self):
        """From each pass to the next gesture, and each count weighs by itself: three, four and two that nobody asked for."""
        assert scores(of_session(list(self.TYPES), self.FRAMES, timeout=20.0)) == [3, 4, 2]

    def test_goes_unseen_where_its_order_happens_to_be_the_one_that_is_asked_for(self):
        """That is what its limit says: chance is not to be told from will."""
        session = of_session([OPEN_MOUTH, LOOK_DOWN, SMILE], self.FRAMES, timeout=20.0)
        assert session.state is State.COMPLETED
        assert scores(session) == [0, 0, 0]

    def test_is_weighed_wherever_it_is_shown(self):
        """More gestures that nobody asked for never speak more for a person."""
        for curve in FITTED.curves[Code.UNASKED].values():
            assert curve(3.0) < curve(0.0)
        assert SPECIES[Code.UNASKED] == "replay"
