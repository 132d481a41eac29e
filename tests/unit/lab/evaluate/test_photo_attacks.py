"""Attacks with a stack of photos: which photo is there when, and how the client sends it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ops.lab.evaluate.attacks import RECORDED, SPECIES
from ops.lab.evaluate.attacks.recordings import recorded
from ops.lab.evaluate.attacks.studio import Studio
from ops.lab.evaluate.cases import Case
from ops.lab.evaluate.manifest import Person, Segment, load_manifest
from ops.lab.evaluate.player import Source
from ops.lab.evaluate.video import Shot, decoded
from shared.liveness import hints
from shared.liveness.challenge import ChallengeType as C
from shared.liveness.session import FrameResult
from tests.unit.lab.evaluate.helpers import write_video
from tests.unit.lab.evaluate.test_tape import reply

Answers = Callable[[int], FrameResult | None]
#: Grey levels of the photos.
NEUTRAL, SMILE, TURN, BLINK = 60, 120, 180, 240


@pytest.fixture
def target(tmp_path: Path) -> Person:
    """Somebody whose photos are grey, each of its own level."""

    def segment(level: int) -> Segment:
        frames = (np.full((120, 160, 3), level, np.uint8) for _ in range(40))
        return Segment(write_video(tmp_path / f"{level}.avi", frames), 0, 2, 1)

    gestures = {C.SMILE: (segment(SMILE),), C.TURN_LEFT: (segment(TURN),), C.BLINK: (segment(BLINK),)}
    return Person("grey", (segment(NEUTRAL),), gestures)


def studio_of(target: Person, fps: float = 8.0) -> Studio:
    return Studio(target, [], fps, 7, lambda _: None, lambda _: None)


def case_of(studio: Studio, species: str, detail: str) -> Case:
    return next(case for case in SPECIES[species](studio) if case.detail == detail)


def levels(source: Source, frames: int, answers: Answers = lambda _: reply()) -> list[int | None]:
    """The grey level of each frame, to the nearest ten; None where nothing was sent."""
    seen: list[int | None] = []
    answer = None
    for number in range(frames):
        try:
            shot = source.send(answer)
        except StopIteration:
            break
        seen.append(None if shot is None else round(decoded(shot.data).mean(), -1))
        answer = None if shot is None else answers(number)
    return seen


def passing(*at: int) -> Answers:
    """Answers that pass a challenge at these frames."""
    return lambda number: reply(passed=number in at)


@pytest.mark.parametrize("species", ["photo_swap", "faded_photos", "slow_photos", "gaps", "silence"])
def test_there_is_a_session_for_each_gesture_that_a_photo_can_show(target: Person, species: str) -> None:
    details = {case.detail: case.count for case in SPECIES[species](studio_of(target))}
    blinks = {"BLINK": 1} if species in ("photo_swap", "faded_photos") else {}
    several = {} if species in ("gaps", "silence") else {"3": 3}
    assert details == {"SMILE": 1, "TURN_LEFT": 1} | blinks | several


@pytest.mark.parametrize("species", ["photo_swap", "faded_photos", "slow_photos"])
def test_what_cannot_be_drawn_has_no_session_of_three(target: Person, species: str) -> None:
    smiler = replace(target, gestures={C.SMILE: target.gestures[C.SMILE]})
    assert [case.detail for case in SPECIES[species](studio_of(smiler))] == ["SMILE"]


@pytest.mark.parametrize(("fps", "left_out"), [(8.0, 3), (15.0, 7), (2.0, 0)])
def test_a_slow_client_sends_two_frames_a_second(target: Person, fps: float, left_out: int) -> None:
    source = case_of(studio_of(target, fps), "slow_photos", "SMILE").make([C.SMILE])
    seen = levels(source, 6 * (1 + left_out))
    assert [i for i, level in enumerate(seen) if level is not None] == list(range(0, len(seen), 1 + left_out))
    assert [level for level in seen if level is not None] == [NEUTRAL] * 2 + [SMILE] * 3 + [NEUTRAL]


def test_a_slow_client_goes_on_to_the_photo_that_is_asked_for_next(target: Person) -> None:
    source = case_of(studio_of(target, 2), "slow_photos", "3").make([C.SMILE, C.TURN_LEFT, C.SMILE])
    seen = levels(source, 14, passing(2, 6))
    assert seen == [NEUTRAL] * 2 + [SMILE] + [NEUTRAL] * 2 + [TURN] * 2 + [NEUTRAL] * 2 + [SMILE] * 3 + [NEUTRAL] * 2


def test_no_two_pictures_of_a_face_with_gaps_follow_each_other(target: Person) -> None:
    seen = levels(case_of(studio_of(target), "gaps", "TURN_LEFT").make([C.TURN_LEFT]), 24)
    assert set(seen[1::2]) == {0}
    assert seen[::2] == [NEUTRAL] * 5 + [TURN] * 4 + [NEUTRAL] * 3


def test_photos_of_a_hand_are_never_in_the_same_place() -> None:
    from random import Random

    from ops.lab.evaluate.attacks.moving import tremble

    poses = [tremble(Random(3 + n)) for n in range(40)]
    assert len({pose.dx for pose in poses}) == 40
    assert max(abs(pose.dx) for pose in poses) < 0.05
    assert np.std([pose.roll for pose in poses]) == pytest.approx(1.2, rel=0.4)


def stopping(at: int, **what: object) -> Answers:
    return lambda number: replace(reply(), **(what if number == at else {}))


@pytest.mark.parametrize(
    ("answer", "stops"),
    [
        ({"passed": True}, True),
        ({"confidence": 0.9, "hint": hints.HOLD_STILL}, True),
        ({"confidence": 0.9, "hint": hints.LOOK_STRAIGHT}, True),
        ({"confidence": 0.9, "hint": hints.WAIT}, True),
        ({"confidence": 0.4, "hint": hints.HOLD_STILL}, False),
        ({"confidence": 0.9, "hint": hints.HOLD_IT}, False),
        ({"confidence": 0.9, "hint": None}, False),
    ],
)
def test_silence_begins_when_the_answer_gives_the_gesture_away(target: Person, answer: dict, stops: bool) -> None:
    source = case_of(studio_of(target), "silence", "SMILE").make([C.SMILE])
    seen = levels(source, 30, stopping(16, **answer))
    assert seen[:17] == [NEUTRAL] * 12 + [SMILE, SMILE, 0, SMILE, SMILE]
    assert len(seen) == (17 if stops else 30)


def test_a_swap_goes_on_to_the_photo_that_is_asked_for_next(target: Person) -> None:
    source = case_of(studio_of(target), "photo_swap", "3").make([C.SMILE, C.TURN_LEFT, C.SMILE])
    seen = levels(source, 30, passing(12))
    assert seen[:13] == [NEUTRAL] * 10 + [SMILE] * 3
    # The next prompt is there from frame 12 on.
    assert seen[13:22] == [NEUTRAL] * 9
    assert seen[22:28] == [TURN] * 6
    assert seen[28] == NEUTRAL


def test_a_fade_begins_from_what_is_there_when_the_next_photo_is_asked_for(target: Person) -> None:
    source = case_of(studio_of(target), "faded_photos", "3").make([C.SMILE, C.TURN_LEFT, C.SMILE])
    seen = levels(source, 30, passing(13))
    assert seen[13] == SMILE
    assert NEUTRAL < seen[15] < seen[14] < SMILE
    assert seen[17:22] == [NEUTRAL] * 5
    assert NEUTRAL < seen[24] < TURN
    assert seen[27] == TURN


@pytest.mark.parametrize("species", RECORDED)
def test_a_recorded_attack_is_cued_where_it_can_be_and_else_just_runs(target: Person, species: str) -> None:
    just_runs = replace(target, gestures={})
    for recording, counts in ((target, [1, 2]), (just_runs, [1, 3])):
        cases = list(recorded(species, recording, studio_of(recording)))
        assert [case.count for case in cases] == counts
        assert {case.species for case in cases} == {species}
    shots = recorded(species, target, studio_of(target))
    assert levels(next(shots).make([C.TURN_LEFT]), 12)[-1] == TURN


def test_what_is_sent_is_the_same_in_every_run(target: Person) -> None:
    def sent(species: str) -> list[Shot | None]:
        source = case_of(studio_of(target), species, "SMILE").make([C.SMILE])
        return [shot for shot, _ in zip(source, range(8), strict=False)]

    for species in ("slow_photos", "gaps", "silence", "faded_photos"):
        assert sent(species) == sent(species)


def test_recorded_attacks_are_those_of_the_manifest(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    (tmp_path / "m.json").write_text(
        '{"people": [{"name": "ann", "neutral": [["a.mp4", 0, 1]]}],'
        ' "generated": [{"name": "ann", "neutral": [["a.mp4", 1, 2]]}]}'
    )
    manifest = load_manifest(tmp_path / "m.json")
    assert [p.neutral[0].start for p in manifest.attacks("generated")] == [1]
    assert manifest.attacks("screen_replay") == manifest.attacks("still") == ()
