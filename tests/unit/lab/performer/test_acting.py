"""Movements in time; no pixel is drawn here, so no model is needed."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from ops.lab.performer.acting import FIRST_READING, REST, Answering, Stillness, course_of, rehearsed
from ops.lab.performer.pose import NEUTRAL, Pose
from shared.liveness.challenge import ChallengeType


def chance(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def poses(*types: ChallengeType, fps: float = 30, **how: float) -> list[Pose]:
    return list(rehearsed(types, fps, chance(), **how))


@pytest.mark.parametrize("kind", ChallengeType)
def test_a_gesture_comes_out_of_rest_and_goes_back_to_it(kind):
    course = course_of(kind)
    assert course.amount(0) == 0
    assert course.amount(course.onset + course.hold / 2) == 1
    assert course.amount(course.length) == pytest.approx(0)
    steps = np.diff([course.amount(t) for t in np.linspace(0, course.length, 200)])
    assert np.abs(steps).max() < 0.05, "no jump on the way"


def test_a_blink_takes_as_long_as_a_blink():
    assert 0.2 <= course_of(ChallengeType.BLINK).length <= 0.35


@pytest.mark.parametrize(
    ("kind", "name", "sign"),
    [
        (ChallengeType.TURN_LEFT, "yaw", 1),
        (ChallengeType.TURN_RIGHT, "yaw", -1),
        (ChallengeType.LOOK_UP, "pitch", 1),
        (ChallengeType.LOOK_DOWN, "pitch", -1),
    ],
)
def test_a_head_movement_goes_its_own_way_and_far_enough(kind, name, sign):
    values = np.array([getattr(p, name) for p in poses(kind)]) * sign
    assert values.max() > 14
    assert values.min() > -4


def test_there_is_rest_before_between_and_after():
    """Lips stir at rest, too, by less than a third of a smile."""
    acted = poses(ChallengeType.OPEN_MOUTH, ChallengeType.SMILE, fps=20)
    for rest in (acted[: int(REST * 20)], acted[-int(REST * 20) + 1 :]):
        assert all(p.jaw == 0 and abs(p.smile) < 0.3 for p in rest)
    mouth, smile = (
        [i for i, p in enumerate(acted) if getattr(p, name) > least] for name, least in (("jaw", 0.01), ("smile", 0.3))
    )
    assert smile[0] - mouth[-1] > 0.8 * REST * 20


def test_speed_and_strength_do_what_they_say():
    usual, fast, faint = (poses(ChallengeType.TURN_LEFT, **how) for how in ({}, {"speed": 2.0}, {"strength": 0.4}))
    assert len(fast) == pytest.approx(len(usual) / 2, abs=2)
    assert max(p.yaw for p in faint) < 0.55 * max(p.yaw for p in usual)


def test_who_holds_still_moves_a_little_and_smoothly():
    still = Stillness(chance())
    yaws = np.array([still.disturb(NEUTRAL, t).yaw for t in np.arange(0, 20, 0.05)])
    assert 0.1 < yaws.std() < 1.5
    assert np.abs(np.diff(yaws)).max() < 0.5


def acted(person: Answering, until: float, since: float = 0.0) -> list[Pose]:
    return [person.pose(t) for t in np.arange(since, until, 0.05)]


def test_nothing_is_done_that_nobody_asked_for():
    idle = acted(Answering(chance()), 10)
    assert all(abs(p.yaw) < 4 and abs(p.smile) < 0.3 and p.left_lid < 0.3 and p.jaw == 0 for p in idle)


def test_what_is_asked_is_read_first_then_done_and_ended_once_it_counts():
    person = Answering(chance())
    person.ask(ChallengeType.TURN_LEFT, 0.0)
    assert all(abs(p.yaw) < 4 for p in acted(person, 0.8 * FIRST_READING))
    assert max(p.yaw for p in acted(person, 2.5, 0.8 * FIRST_READING)) > 20
    person.ask(None, 2.5)
    assert all(abs(p.yaw) < 4 for p in acted(person, 6.0, 3.2))


def test_the_next_challenge_waits_until_the_last_one_is_undone():
    person = Answering(chance())
    person.ask(ChallengeType.LOOK_UP, 0.0)
    acted(person, 2.4)
    person.ask(ChallengeType.OPEN_MOUTH, 2.4)
    later = acted(person, 6.0, 2.4)
    assert max(p.jaw for p in later) == pytest.approx(1.0, abs=0.01)
    assert all(p.jaw == 0 for p in later if p.pitch > 12)


@pytest.mark.parametrize("kind", [ChallengeType.BLINK, ChallengeType.SMILE])
def test_what_does_not_count_is_tried_again(kind):
    person = Answering(chance())
    person.ask(kind, 0.0)
    amounts = [max(p.left_lid, p.smile) > 0.5 for p in acted(person, 12)]
    assert sum(now and not before for before, now in itertools.pairwise(amounts)) >= 3


def test_the_performer_answers_what_the_server_says(performer, monkeypatch):
    seen = []
    monkeypatch.setattr(performer, "frame", lambda pose=NEUTRAL: seen.append(pose) or np.zeros((1, 1, 3), np.uint8))
    acting = performer.answering(fps=10)
    next(acting)
    for _ in range(30):
        acting.send({"challenge_type": "OPEN_MOUTH", "passed": False})
    assert max(p.jaw for p in seen) == pytest.approx(1.0, abs=0.01)
    for reply in [{"challenge_type": "OPEN_MOUTH", "passed": True}, *[None] * 15]:
        acting.send(reply)
    assert seen[-1].jaw == 0
    for reply in [{"challenge_type": "STAND_ON_ONE_LEG", "passed": False}] * 20:
        acting.send(reply)
    assert max(p.jaw for p in seen[-20:]) == 0
