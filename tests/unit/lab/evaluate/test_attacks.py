"""Attacks made from recordings: what their pictures show."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest

from ops.lab.evaluate.actors import READING
from ops.lab.evaluate.attacks import SPECIES
from ops.lab.evaluate.attacks.animated import Style
from ops.lab.evaluate.attacks.features import Expression
from ops.lab.evaluate.attacks.grain import STRENGTH, Grain
from ops.lab.evaluate.attacks.morphed import Morph
from ops.lab.evaluate.attacks.moving import GO, Hand, Prompted
from ops.lab.evaluate.attacks.points import FacePoints
from ops.lab.evaluate.attacks.prints import Pose, make_room, show
from ops.lab.evaluate.attacks.puppet import Build, Puppet
from ops.lab.evaluate.attacks.shimmering import Flow
from ops.lab.evaluate.attacks.studio import Studio
from ops.lab.evaluate.cases import Case
from ops.lab.evaluate.manifest import Manifest, load_manifest
from ops.lab.evaluate.video import decoded, encoded
from ops.lab.performer import Performer
from shared.liveness.challenge import HEAD_MOVEMENTS
from shared.liveness.challenge import ChallengeType as C
from tests.performer import vision_of
from tests.unit.lab.evaluate.test_tape import reply
from workers.vision.pipeline import Vision


@pytest.fixture(scope="module")
def portrait(models_dir: Path) -> np.ndarray:
    return Performer(models_dir, noise=0).frame()


@pytest.fixture(scope="module")
def vision(models_dir: Path) -> Vision:
    return vision_of(models_dir)


@pytest.fixture(scope="module")
def manifest(drawn: Path) -> Manifest:
    return load_manifest(drawn)


@pytest.fixture(scope="module")
def studio(manifest: Manifest, models_dir: Path) -> Studio:
    points = FacePoints(models_dir)
    return Studio(manifest.people[0], [], 8.0, 7, points, points.solid)


def case_of(studio: Studio, species: str, detail: str) -> Case:
    return next(case for case in SPECIES[species](studio) if case.detail == detail)


def face(vision: Vision, picture: np.ndarray):
    found = vision.measure(encoded(picture), None, 1.0)[0].face
    assert found is not None
    return found


def test_paper_that_is_held_straight_shows_the_photo(portrait) -> None:
    assert np.abs(show(portrait, Pose()).astype(int) - portrait).mean() < 0.5


def gaps(pose: Pose, axis: int) -> np.ndarray:
    """Pixels from line to line of a ruled print, across (1) or down (0) its middle."""
    ruled = np.zeros((480, 640, 3), np.uint8)
    for width in range(5):  # so wide that no line gets lost where the print is far
        ruled[:, 20 + width :: 40] = ruled[20 + width :: 40] = 255
    seen = show(ruled, pose)[..., 0]
    middle = seen[252] if axis else seen[:, 352]
    lines = np.flatnonzero(middle > 100)
    return np.diff(lines[np.insert(np.diff(lines) > 3, 0, True)])


def test_what_a_turned_print_takes_away_from_the_camera_gets_small() -> None:
    # Turned to the own left, the picture's right side goes away, as a cheek does; looking up, the forehead does.
    for pose, axis, far in (
        (Pose(yaw=30), 1, -2),
        (Pose(yaw=-30), 1, 1),
        (Pose(pitch=30), 0, 1),
        (Pose(pitch=-30), 0, -2),
    ):
        across = gaps(pose, axis)
        near = across[1] if far == -2 else across[-2]
        assert across[far] < 0.8 * near


@pytest.mark.parametrize("bend", [100, -100])
def test_bent_paper_keeps_its_middle(bend) -> None:
    across = gaps(Pose(bend=bend), 1)
    assert across[len(across) // 2] == pytest.approx(40, abs=2)
    # Bulging, its sides turn away; hollow, they come closer.
    assert across[1] < 0.85 * 40 if bend > 0 else across[1] != pytest.approx(40, abs=1)


def test_a_rolled_and_a_distant_print(vision, portrait) -> None:
    straight = face(vision, portrait)
    assert face(vision, show(portrait, Pose(roll=12))).roll - straight.roll == pytest.approx(12, abs=3)
    assert face(vision, show(portrait, Pose(scale=0.7))).scale == pytest.approx(0.7 * straight.scale, rel=0.08)


def test_a_held_print_moves_before_a_room_that_does_not(portrait) -> None:
    room = make_room(640, 480, 3)
    left, right = (show(portrait, Pose(scale=0.6, dx=dx), room) for dx in (-0.1, 0.1))
    assert np.array_equal(left[:20], room[:20])
    assert np.array_equal(left[:20], right[:20])
    assert not np.array_equal(left, right)


def test_noise_is_a_cameras_and_repeatable() -> None:
    grey = np.full((120, 160, 3), 128, np.uint8)
    one, other = Grain(1), Grain(1)
    first = one.over(grey)
    assert first.std() == pytest.approx(STRENGTH, rel=0.1)
    assert np.array_equal(first, other.over(grey))
    assert not np.array_equal(first, one.over(grey))


@pytest.mark.parametrize("asked", sorted(HEAD_MOVEMENTS))
def test_a_hand_turns_the_print_the_way_that_is_asked(asked) -> None:
    hand = Hand(reach=40, pace=1.0, phase=0.0, bend=0.0, scale=1.0)
    pose = hand.answer(asked, 1.2 + GO + 0.3, 0.0)
    axis = "yaw" if asked in (C.TURN_LEFT, C.TURN_RIGHT) else "pitch"
    sign = 1 if asked in (C.TURN_LEFT, C.LOOK_UP) else -1
    assert sign * getattr(pose, axis) == pytest.approx(40, abs=2)
    assert abs(getattr(hand.answer(asked, 0.5, 0.0), axis)) < 3
    assert abs(getattr(hand.answer(C.SMILE, 2.1, 0.0), axis)) < 3


def test_the_prompted_know_what_is_asked_and_since_when() -> None:
    prompted = Prompted([C.SMILE, C.LOOK_UP])
    prompted.hear(reply(C.SMILE), 1.0)
    assert prompted.challenge is C.SMILE
    prompted.hear(reply(C.SMILE, passed=True), 2.0)
    assert (prompted.challenge, prompted.since) == (C.LOOK_UP, 2.0)
    prompted.hear(reply(C.LOOK_UP, passed=True), 3.0)
    assert prompted.challenge is None


def test_a_cut_out_moves_in_its_holes_and_nowhere_else(studio: Studio) -> None:
    from ops.lab.evaluate.attacks.cutout import _through_holes

    photo = studio.neutral().astype(int)
    composed = _through_holes(studio, C.SMILE, studio.target.gestures[C.SMILE])
    assert len(composed) > 10
    points = studio.points(studio.neutral())
    assert points is not None
    changed = max((np.abs(c - photo).max(axis=2) for c in composed), key=np.sum)
    mouth, brow = points[48:68].mean(axis=0).astype(int), points[19].astype(int)
    assert changed[mouth[1] - 4 : mouth[1] + 4, mouth[0] - 4 : mouth[0] + 4].max() > 20
    assert changed[: brow[1]].max() == 0


@pytest.mark.parametrize("name", [s for s in SPECIES if s != "identity_swap"])
def test_each_species_can_be_made_of_a_recording_and_gives_pictures(studio: Studio, name: str) -> None:
    cases = list(SPECIES[name](studio))
    assert cases
    assert len({c.name for c in cases}) == len(cases)
    for case in cases[:2]:
        types = case.challenges(7)
        assert types is not None
        assert case.species == name
        pictures = [decoded(shot.data) for shot in islice(case.make(types), 3) if shot is not None]
        assert {p.shape for p in pictures} == {pictures[0].shape}


def test_a_swap_takes_two(studio: Studio, manifest: Manifest) -> None:
    assert list(SPECIES["identity_swap"](studio)) == []
    other = type(studio.target)("other", studio.target.neutral, studio.target.gestures)
    pair = Studio(studio.target, [other], 8.0, 7, studio.points, studio.solid)
    assert len(list(SPECIES["identity_swap"](pair))) == 1


def test_the_same_file_is_the_same_bytes_and_a_still_photo_is_not(studio: Studio) -> None:
    def bytes_of(name: str) -> list[bytes]:
        case = next(SPECIES[name](studio))
        return [shot.data for shot in islice(case.make([C.SMILE]), 3)]

    assert len(set(bytes_of("same_frame"))) == 1
    assert len(set(bytes_of("still"))) == 3


def test_photos_are_swapped_by_a_cut_or_by_a_fade(studio: Studio) -> None:
    """To the gesture and back within three seconds: a fade takes several pictures for what a cut does in one step."""
    neutral, peak = studio.neutral().astype(float), studio.peak(C.SMILE).astype(float)

    def steps(species: str) -> np.ndarray:
        source = case_of(studio, species, "SMILE").make([C.SMILE])
        pictures = [decoded(shot.data).astype(float) for shot in islice(source, 24)]
        way = peak - neutral
        return np.array([abs(((b - a) * way).sum()) / (way**2).sum() for a, b in pairwise(pictures)])

    cut, faded = steps("photo_swap"), steps("faded_photos")
    assert sorted(cut)[-2:] == pytest.approx([1, 1], abs=0.15)
    assert sorted(cut)[-3] < 0.1
    assert faded.max() < 0.75
    assert (faded > 0.1).sum() >= 6


def test_attacks_are_the_same_in_every_run(studio: Studio) -> None:
    def first(name: str) -> list[bytes]:
        return [shot.data for shot in islice(next(SPECIES[name](studio)).make([C.SMILE]), 3)]

    assert first("moved_photo") == first("moved_photo")


@pytest.fixture(scope="module")
def puppet(portrait, models_dir: Path) -> Puppet:
    vertices = FacePoints(models_dir).solid(portrait)
    assert vertices is not None
    return Puppet(portrait, vertices, Build(falloff=0.6, whole=False, inside=(12.0, 10.0, 14.0)))


def test_a_puppet_at_rest_is_its_photo(puppet: Puppet, portrait) -> None:
    assert np.abs(puppet.show(Pose(), Expression()).astype(int) - portrait).max() <= 1


@pytest.mark.parametrize(("yaw", "pitch"), [(30, 0), (-30, 0), (0, 25), (0, -25)])
def test_a_puppet_turns_its_head_before_a_room_that_stands_still(puppet, portrait, vision, yaw, pitch) -> None:
    turned = puppet.show(Pose(yaw=yaw, pitch=pitch), Expression())
    before, after = face(vision, portrait), face(vision, turned)
    assert (after.yaw - before.yaw) * np.sign(yaw) > 10 or yaw == 0
    assert (after.pitch - before.pitch) * np.sign(pitch) > 8 or pitch == 0
    assert np.array_equal(turned[:60, :60], portrait[:60, :60])


def test_a_puppet_smiles_opens_its_mouth_and_closes_its_eyes(puppet, portrait, vision) -> None:
    rest = face(vision, portrait)
    smiling, gaping, closed = (
        face(vision, puppet.show(Pose(), e)) for e in (Expression(smile=1), Expression(mouth=1), Expression(lids=1))
    )
    assert smiling.mouth_width - smiling.mouth_drop > rest.mouth_width - rest.mouth_drop + 0.12
    assert gaping.mouth_open > rest.mouth_open + 0.12
    assert max(closed.left_eye, closed.right_eye) < 0.6 * min(rest.left_eye, rest.right_eye)


def test_an_animated_photo_answers_what_is_asked_and_has_a_style_of_its_own(studio: Studio) -> None:
    cases = list(SPECIES["animated_photo"](studio))
    assert [case.count for case in cases] == [1] * len(C) + [3, 3]
    styles = {Style.by(studio.chance("animated_photo", case.detail)) for case in cases}
    assert len(styles) == len(cases)
    style = next(iter(styles))
    turned, _ = style.answer(C.TURN_RIGHT, 10.0, 10.0 - (READING + GO + 0.1) / style.pace)
    assert turned.yaw < -20


def test_a_shimmering_photo_is_shifted_smoothly_a_little_and_anew(portrait) -> None:
    flow = Flow(portrait, 100.0, random.Random(3))
    at_once, later = (flow.over(portrait, at) for at in (0.1, 2.0))
    columns = np.broadcast_to(np.arange(portrait.shape[1], dtype=np.uint16)[None, :, None] % 256, portrait.shape)
    shifted = Flow(portrait, 100.0, random.Random(3)).over(columns.astype(np.uint8), 0.1)
    moved = (shifted[240, 20:230, 0].astype(int) - columns[240, 20:230, 0]).astype(float)
    assert 0.1 < np.abs(moved).mean() < 6
    assert np.abs(np.diff(moved)).max() <= 2, "neighbours go together"
    assert not np.array_equal(at_once, later)


def test_a_shimmering_photo_answers_as_an_animated_one(studio: Studio, vision) -> None:
    case = case_of(studio, "shimmering_photo", "TURN_LEFT")
    shown = [decoded(shot.data) for shot in islice(case.make([C.TURN_LEFT]), 24)]
    yaws = [face(vision, picture).yaw for picture in shown[::3]]
    assert max(yaws) - min(yaws) > 10


def test_a_morph_begins_and_ends_as_a_photo_and_has_both_shapes_in_between(portrait, models_dir) -> None:
    solid = FacePoints(models_dir).solid
    other = show(portrait, Pose(dx=0.08, scale=0.9))
    morph = Morph((portrait, other), (solid(portrait), solid(other)))
    assert np.array_equal(morph.show(0.0), portrait)
    assert np.array_equal(morph.show(1.0), other)
    nose = [float(solid(picture)[1, 0]) for picture in (portrait, morph.show(0.5), other)]
    assert nose[1] == pytest.approx((nose[0] + nose[2]) / 2, abs=3)
    between = show(portrait, Pose(dx=0.04, scale=0.95)).astype(float)
    faded = 0.5 * portrait.astype(float) + 0.5 * other
    middle = np.s_[140:340, 220:420]
    morphed, mixed = (np.abs(picture[middle] - between[middle]).mean() for picture in (morph.show(0.5), faded))
    assert morphed < 0.6 * mixed, "a fade shows two faces, a morph one"


def test_morphed_photos_go_to_the_gesture_and_come_back(studio: Studio) -> None:
    case = case_of(studio, "morphed_photos", "SMILE")
    shown = [decoded(shot.data).astype(int) for shot in islice(case.make([C.SMILE]), 30)]
    changes = [np.abs(picture - shown[0]).mean() for picture in shown]
    assert max(changes) > 1.5 * np.mean(changes[:6])
    assert np.mean(changes[26:29]) < 0.9 * max(changes)


def test_an_animated_film_lives_at_rest_and_is_moved_when_asked(studio: Studio, vision) -> None:
    case = case_of(studio, "animated_film", "OPEN_MOUTH")
    shown = [decoded(shot.data) for shot in islice(case.make([C.OPEN_MOUTH]), 20)]
    assert all(not np.array_equal(a, b) for a, b in pairwise(shown[:8]))
    mouths = [face(vision, picture).mouth_open for picture in shown[::2]]
    assert max(mouths) > min(mouths) + 0.1


def test_without_a_film_of_the_target_at_rest_there_is_no_animated_film(studio: Studio) -> None:
    alone = replace(studio, target=replace(studio.target, neutral=()))
    assert not list(SPECIES["animated_film"](alone))
