"""Masks and dark glasses, drawn on a portrait that is in the public domain, and what is none of them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from shared.liveness.cover import DARK_GLASSES, MASK
from shared.liveness.observation import Observation
from tests.performer import vision_of
from workers.vision.cover import measure_cover
from workers.vision.landmarks import Picture, Points

BLUE, WHITE, BLACK = (205, 175, 140), (225, 225, 225), (35, 33, 32)


@pytest.fixture(scope="module")
def portrait() -> Picture:
    return np.ascontiguousarray(skimage.data.astronaut()[:360, :480, ::-1])


@pytest.fixture(scope="module")
def points(portrait: Picture, models_dir: Path) -> Points:
    landmarks = vision_of(models_dir).look(_jpeg(portrait), None, 0.0).landmarks
    assert landmarks is not None
    return landmarks.points


def _jpeg(picture: Picture) -> bytes:
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 88])[1].tobytes()


def seen(picture: Picture, models_dir: Path) -> Observation:
    return vision_of(models_dir).measure(_jpeg(picture), None, 0.0)[0]


def filled(picture: Picture, outline: Points, colour: tuple[int, int, int]) -> Picture:
    drawn = cv2.fillPoly(picture.copy(), [np.rint(outline).astype(np.int32)], colour)
    grain = np.random.default_rng(7).normal(0, 2.5, picture.shape)
    return np.clip(drawn + grain, 0, 255).astype(np.uint8)


def masked(picture: Picture, points: Points, colour: tuple[int, int, int]) -> Picture:
    return filled(picture, np.vstack([points[2:15], points[29:30]]), colour)


def bearded(picture: Picture, points: Points) -> Picture:
    """Jaw, cheeks and the upper lip in dark hair, and the lips in it."""
    hair = filled(picture, np.vstack([points[2:15], points[35:36], points[33:34], points[31:32]]), (30, 36, 48))
    lips = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(lips, [np.rint(points[48:60]).astype(np.int32)], 255)
    return np.where(lips[..., None] > 0, picture, hair)


def glasses(picture: Picture, points: Points, *, dark: bool) -> Picture:
    drawn = picture.copy()
    apart = float(np.linalg.norm(points[36:42].mean(axis=0) - points[42:48].mean(axis=0)))
    for eye in (points[36:42], points[42:48]):
        middle = tuple(np.rint(eye.mean(axis=0)).astype(int).tolist())
        cv2.circle(drawn, middle, round(0.45 * apart), (22, 22, 22), -1 if dark else 2)
    return drawn


def test_a_bare_face_is_none_of_it(portrait: Picture, models_dir: Path) -> None:
    bare = seen(portrait, models_dir)
    assert bare.usable
    assert bare.cover is not None
    assert bare.eye_light is not None
    assert bare.cover < MASK / 2
    assert bare.eye_light > DARK_GLASSES + 0.15


@pytest.mark.parametrize("colour", [BLUE, WHITE, BLACK], ids=["blue", "white", "black"])
def test_a_mask_is_seen(portrait: Picture, points: Points, models_dir: Path, colour: tuple[int, int, int]) -> None:
    observation = seen(masked(portrait, points, colour), models_dir)
    assert observation.usable, "the landmarks alone do not tell"
    assert observation.cover is not None
    assert observation.cover >= MASK


def test_dark_glasses_are_seen(portrait: Picture, points: Points, models_dir: Path) -> None:
    observation = seen(glasses(portrait, points, dark=True), models_dir)
    assert observation.usable
    assert observation.eye_light is not None
    assert observation.eye_light <= DARK_GLASSES


@pytest.mark.parametrize("what", ["beard", "glasses", "grey", "dark"])
def test_what_is_no_cover(portrait: Picture, points: Points, models_dir: Path, what: str) -> None:
    picture = {
        "beard": bearded(portrait, points),
        "glasses": glasses(portrait, points, dark=False),
        "grey": cv2.cvtColor(cv2.cvtColor(portrait, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR),
        "dark": (portrait * 0.2).astype(np.uint8),
    }[what]
    observation = seen(picture, models_dir)
    assert observation.cover is not None
    assert observation.eye_light is not None
    assert observation.cover < MASK
    assert observation.eye_light > DARK_GLASSES


def test_at_the_edge_of_the_picture_nothing_is_measured(portrait: Picture, points: Points) -> None:
    apart = float(np.linalg.norm(points[36:42].mean(axis=0) - points[42:48].mean(axis=0)))
    assert measure_cover(portrait, points, apart) is not None
    assert measure_cover(portrait, points - (0, points[8, 1] + 5), apart) is None
