"""Whether a rim moves by itself, in drawn scenes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ops.lab.performer import NEUTRAL
from tests.unit.vision.pictures import encode
from tests.unit.vision.scenes import watch
from tests.unit.vision.test_surround import FACE, PHONE, phone, room
from workers.vision.adrift import Scene, adrift
from workers.vision.surround import rim, shrunk


def wall(seed: int = 1) -> np.ndarray:
    """Something to be seen around a phone."""
    chance = np.random.default_rng(seed)
    blots = chance.uniform(60, 200, (12, 16, 1)).repeat(3, axis=2)
    return np.asarray(cv2.resize(blots, (640, 480), interpolation=cv2.INTER_CUBIC)).clip(0, 255)


def filmed(phone_at: tuple[float, float], camera: tuple[float, float], seed: int, degrees: float = 0.0) -> np.ndarray:
    """A phone that its hand has moved so far (pixels) before a wall, by a camera that has moved as well."""
    left, top, right, bottom = PHONE
    device = phone(left, top, right, bottom).astype(np.float64)
    cover = np.zeros((480, 640))
    cover[top - 14 : bottom + 14, left - 14 : right + 14] = 1
    turn = cv2.getRotationMatrix2D((320, 260), degrees, 1)
    turn[:, 2] += phone_at
    device, cover = (cv2.warpAffine(p, turn, (640, 480), borderMode=cv2.BORDER_REPLICATE) for p in (device, cover))
    scene = device * cover[..., None] + wall() * (1 - cover[..., None])
    return shaken(scene, camera, seed)


def shaken(scene: np.ndarray, camera: tuple[float, float], seed: int) -> np.ndarray:
    """A scene, under noise, by a camera that has moved so far (pixels)."""
    shift = np.array([[1, 0, camera[0]], [0, 1, camera[1]]], np.float64)
    moved = cv2.warpAffine(scene, shift, (640, 480), borderMode=cv2.BORDER_REPLICATE)
    return np.clip(moved + np.random.default_rng(seed).normal(0, 2, moved.shape), 0, 255).astype(np.uint8)


def drift(before: np.ndarray, now: np.ndarray) -> float | None:
    """How far the rim was adrift from one picture to the other."""
    was, small = shrunk(before), shrunk(now)
    return adrift(Scene.of(was), Scene.of(small), rim(small, FACE), FACE)


@pytest.mark.parametrize("camera", [(0, 0), (6, -4)])
@pytest.mark.parametrize(("phone_at", "degrees"), [((5, 0), 0), ((0, -5), 0), ((3, 3), 1.5), ((18, 10), -2)])
def test_a_phone_in_a_hand_is_adrift(camera, phone_at, degrees):
    """By a few pixels of 640 or by many, whether the camera is held in the other hand or stands."""
    assert drift(filmed((0, 0), (0, 0), 1), filmed(phone_at, camera, 2, degrees)) > 0.45


@pytest.mark.parametrize("camera", [(0, 0), (6, -4), (-3, 9)])
def test_a_phone_that_stands_is_not(camera):
    """What moves with all around it moves because the camera does."""
    assert drift(filmed((0, 0), (0, 0), 1), filmed((0, 0), camera, 2)) < 0.3


@pytest.mark.parametrize("camera", [(0, 0), (6, -4)])
def test_the_edges_of_a_room_are_not_whatever_the_person_does(camera):
    """A picture's frame on the wall behind somebody who moves, before a camera that stands or is held."""
    frame = [((170, 60), (170, 400)), ((470, 60), (470, 400)), ((170, 60), (470, 60))]
    behind = room(frame).astype(np.float64) + 0.5 * (wall() - 130)
    before, after = behind.copy(), behind.copy()
    for picture, x in ((before, 310), (after, 330)):
        cv2.ellipse(picture, (x, 225), (75, 105), 0, 0, 360, (120, 150, 190), -1)
    assert drift(shaken(before, (0, 0), 1), shaken(after, camera, 2)) < 0.15


def test_light_that_changes_moves_nothing():
    """A camera's exposure, say."""
    before = filmed((0, 0), (0, 0), 1)
    brighter = np.clip(filmed((0, 0), (0, 0), 2).astype(np.float64) + 12, 0, 255).astype(np.uint8)
    assert drift(before, brighter) < 0.15


def test_without_a_rim_there_is_nothing_adrift():
    """However much moves."""
    assert drift(room(), shaken(room().astype(np.float64), (9, 5), 3)) == 0


def test_pictures_of_two_shapes_are_not_compared():
    """A phone that was turned while it films."""
    small = shrunk(filmed((0, 0), (0, 0), 1))
    assert adrift(Scene.of(shrunk(np.zeros((640, 480, 3), np.uint8))), Scene.of(small), rim(small, FACE), FACE) is None


def test_a_rim_with_nothing_outside_of_it_is_not_compared():
    """A screen that fills the picture but for its rim."""
    picture = np.full((480, 640, 3), 10, np.uint8)
    picture[12:468, 12:628] = room()[12:468, 12:628]
    wide = (0.1, 0.1, 0.8, 0.6)
    small = shrunk(picture)
    found = rim(small, wide)
    assert found.sureness > 0.5
    assert adrift(Scene.of(small), Scene.of(small), found, wide) is None


def test_it_is_measured_from_the_second_sample_on_and_carried_between_samples(visions, performer):
    """Samples lie several frames apart; those in between keep what the next one is compared with."""
    frames = [frame.observation for frame in watch(visions["mesh"], [encode(performer.frame(NEUTRAL))] * 16)]
    sampled = [seen for seen in frames if seen.rim is not None]
    assert 3 <= len(sampled) < len(frames) / 2
    assert [seen.adrift for seen in frames if seen.rim is None] == [None] * (len(frames) - len(sampled))
    assert sampled[0].adrift is None
    assert all(seen.adrift is not None and seen.adrift < 0.15 for seen in sampled[1:])


def test_a_performer_on_a_phone_in_a_hand_is_adrift(visions, performer):
    """The whole way, from the bytes of the pictures on."""
    portrait = performer.frame(NEUTRAL)
    pictures = []
    for i in range(16):
        scene = wall().astype(np.uint8)
        x, y = round(160 + 9 * np.sin(1.7 * i)), round(60 + 7 * np.cos(1.1 * i))
        cv2.rectangle(scene, (x - 12, y - 12), (x + 332, y + 372), (12, 12, 12), -1)
        scene[y : y + 360, x : x + 320] = portrait[60:420, 160:480]
        pictures.append(encode(scene))
    seen = [frame.observation for frame in watch(visions["mesh"], pictures)]
    assert np.median([o.rim for o in seen if o.rim is not None]) > 0.75
    assert np.median([o.adrift for o in seen if o.adrift is not None]) > 0.4
