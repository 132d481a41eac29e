"""Who is asked for what."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.lab.evaluate.cases import asks, bona_fide_cases, gesture_cases
from ops.lab.evaluate.manifest import Person, Segment
from shared.liveness.challenge import ChallengeType
from shared.liveness.challenge import ChallengeType as C


@pytest.fixture
def ann(greys: Path) -> Person:
    neutral, smile, turn = Segment(greys, 0, 1), Segment(greys, 1, 2, 1.5), Segment(greys, 2, 4, 3.0)
    return Person("ann", (neutral,), {C.SMILE: (smile,), C.TURN_LEFT: (turn,)})


def test_each_clip_is_asked_for_what_it_shows(ann: Person) -> None:
    hits = [c for c in gesture_cases(ann, 8) if c.kind == "hit"]
    assert [(c.challenges(7), c.clip.start) for c in hits] == [([C.TURN_LEFT], 2), ([C.SMILE], 1)]


def test_each_clip_is_asked_for_all_that_it_does_not_show_but_a_blink(ann: Person) -> None:
    asked = [(c.challenges(7)[0], c.clip.start) for c in gesture_cases(ann, 8) if c.kind == "false_accept"]
    assert C.BLINK not in {gesture for gesture, _ in asked}
    assert {start for gesture, start in asked if gesture is C.SMILE} == {0, 2}
    assert {start for gesture, start in asked if gesture is C.LOOK_UP} == {0, 1, 2}


def test_names_are_unique(ann: Person) -> None:
    names = [c.name for c in [*gesture_cases(ann, 8), *bona_fide_cases(ann, 8)]]
    assert len(names) == len(set(names))


def test_whole_sessions_ask_only_for_what_was_recorded(ann: Person) -> None:
    cases = list(bona_fide_cases(ann, 8))
    assert [c.count for c in cases] == [1, 2]
    assert all(set(c.challenges(seed)) <= set(ann.gestures) for c in cases for seed in range(20))


def test_draws_depend_on_seed_and_round_only(ann: Person) -> None:
    case = list(bona_fide_cases(ann, 8))[1]
    assert case.challenges(7) == case.challenges(7)
    assert len({tuple(case.challenges(7, lap)) for lap in range(20)}) == 2


def test_what_cannot_be_drawn_is_left_out(ann: Person) -> None:
    case = list(bona_fide_cases(ann, 8))[1]
    impossible = type(case)("attack", "ann", "", 2, asks(ChallengeType.BLINK, ChallengeType.BLINK), case.make)
    assert impossible.challenges(7) is None


def test_a_performer_shows_the_next_clip_when_the_challenge_has_passed(ann: Person) -> None:
    from tests.unit.lab.evaluate.test_tape import reply

    case = list(bona_fide_cases(ann, 8))[1]
    source = case.make([C.SMILE, C.TURN_LEFT])
    seconds = [next(source).second]
    seconds += [source.send(reply(C.SMILE)).second for _ in range(30)]
    assert max(seconds) < 2
    assert source.send(reply(C.SMILE, passed=True)).second >= 2
