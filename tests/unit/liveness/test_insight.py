"""What developers are shown of the judges is what the judges go by."""

from __future__ import annotations

import pytest

from shared.liveness.challenge import ChallengeType
from shared.liveness.gestures.amount import NEEDED
from shared.liveness.insight import look_into, needed_levels
from shared.liveness.options import Options
from shared.liveness.session import Session
from tests.unit.liveness.people import PEOPLE, T0, Person, film, gesture, opened, submit

ONSET = 1.5


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("kind", ChallengeType)
def test_before_the_gesture_little_is_reached_and_when_it_is_met_enough(kind, person):
    session = opened(kind, timeout=60.0)
    most = 0.0
    for frame in film(PEOPLE[person], gesture(kind, ONSET), seconds=ONSET + 3):
        submit(session, frame)
        insight = look_into(session, frame.at)
        assert insight is not None
        assert (insight.challenge, insight.position, insight.at) == (kind, 0, frame.at)
        assert insight.needed == NEEDED[kind]
        if frame.at < T0 + ONSET:
            assert insight.reached < insight.needed
        most = max(most, insight.reached)
        if session.held is not None:
            assert frame.at == session.held.at, "the first frame that shows enough"
            assert insight.judgement.met
            assert insight.judgement.confidence == pytest.approx(session.held.confidence)
            break
    else:
        pytest.fail("never met")
    assert most >= NEEDED[kind]


def test_the_neutral_and_the_lines_are_the_persons_own():
    person = PEOPLE["camera held low"]
    session = opened(ChallengeType.LOOK_UP, timeout=60.0)
    for frame in film(person, seconds=2):
        submit(session, frame)
    insight = look_into(session, frame.at)
    assert insight is not None
    assert insight.neutral.pitch == pytest.approx(person.pitch, abs=1)
    levels = needed_levels(insight.neutral)
    assert set(levels) == set(ChallengeType)
    for kind, level in {"LOOK_UP": 29 + 13, "LOOK_DOWN": 29 - 12, "TURN_LEFT": 20, "TURN_RIGHT": -20}.items():
        assert levels[ChallengeType(kind)] == pytest.approx(level, abs=1)
    assert levels[ChallengeType.BLINK] == pytest.approx(0.67 * 0.265, abs=0.03)
    assert levels[ChallengeType.SMILE] == pytest.approx(0.75 + 0.15, abs=0.02)
    assert levels[ChallengeType.OPEN_MOUTH] == pytest.approx(0.02 + 0.105, abs=0.02)


def test_nothing_is_seen_of_what_nobody_has_shown_or_is_not_revealed():
    assert look_into(opened(ChallengeType.SMILE), T0) is None
    session = Session.open(
        "s",
        [ChallengeType.SMILE, ChallengeType.BLINK],
        timeout_seconds=9.0,
        at=T0,
        ttl=60.0,
        options=Options(pauses=(2.0,)),
    )
    for frame in film(Person(), gesture(ChallengeType.SMILE, ONSET), seconds=4):
        if submit(session, frame).passed:
            break
    assert look_into(session, frame.at) is None, "the second one is not revealed yet"
    later = look_into(session, frame.at + 2.1)
    assert later is not None
    assert (later.challenge, later.judgement.met) == (ChallengeType.BLINK, False)
