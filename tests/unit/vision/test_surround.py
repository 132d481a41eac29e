"""Straight edges around a face: rims enclose it and end in corners, a room's edges do not."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from workers.vision.surround import Rim, rim, shrunk

#: A face in the middle of a picture of 640 by 480, as fractions of its longer side.
FACE = (0.4, 0.22, 0.2, 0.28)
#: Left, top, right, bottom of a phone around it, in pixels.
PHONE = (190, 70, 470, 450)

Lines = Sequence[tuple[tuple[int, int], tuple[int, int]]]


def room(lines: Lines = ()) -> np.ndarray:
    """A wall in soft light under a camera's noise, with bars before it, and somebody's head and shoulders."""
    chance = np.random.default_rng(5)
    wall = np.tile(np.linspace(120, 160, 640)[None, :, None], (480, 1, 3))
    for start, end in lines:
        cv2.line(wall, start, end, (60, 50, 40), 10)
    shoulders = np.array(
        [(120, 480), (170, 420), (280, 370), (300, 330), (340, 330), (360, 370), (470, 420), (520, 480)]
    )
    cv2.fillPoly(wall, [shoulders], (90, 60, 60))
    cv2.ellipse(wall, (320, 225), (68, 100), 0, 0, 360, (120, 150, 190), -1)
    return np.clip(wall + chance.normal(0, 2, wall.shape), 0, 255).astype(np.uint8)


def phone(left: int, top: int, right: int, bottom: int, degrees: float = 0.0) -> np.ndarray:
    """A phone before a wall, and somebody on it; `degrees`: how far it is rolled."""
    picture = room()
    inside, picture = picture.copy(), np.full_like(picture, 100)
    cv2.rectangle(picture, (left - 14, top - 14), (right + 14, bottom + 14), (15, 15, 15), -1)
    picture[max(0, top) : bottom, max(0, left) : right] = inside[max(0, top) : bottom, max(0, left) : right]
    turn = cv2.getRotationMatrix2D((320, 230), degrees, 1)
    return np.asarray(cv2.warpAffine(picture, turn, (640, 480), borderMode=cv2.BORDER_REPLICATE))


def seen(picture: np.ndarray, box: tuple[float, float, float, float]) -> Rim:
    """What encloses the face in a picture."""
    return rim(shrunk(picture), box)


@pytest.mark.parametrize("degrees", [0, 4, -8])
def test_a_phone_has_a_rim_and_it_lies_where_it_is_drawn(degrees):
    """Also when it is not held straight."""
    found = seen(phone(*PHONE, degrees), FACE)
    assert found.sureness > 0.8
    assert len(found.sides) == 3
    if degrees == 0:
        across = sorted(640 * x for side in found.sides for x, _ in side)
        assert across[0] == pytest.approx(PHONE[0] - 7, abs=10)
        assert across[-1] == pytest.approx(PHONE[2] + 7, abs=10)


@pytest.mark.parametrize(
    "place", [(190, 70, 470, 600), (190, -100, 470, 380), (190, 70, 800, 450), (-200, 70, 470, 450)]
)
def test_three_sides_are_enough(place):
    """A phone that is held too near has its fourth side outside of the picture."""
    assert seen(phone(*place), FACE).sureness > 0.75


@pytest.mark.parametrize("place", [(190, -100, 470, 700), (-200, 70, 470, 700), (-200, -100, 800, 700)])
def test_two_sides_are_not_enough(place):
    """The corner of a wall has as many."""
    assert seen(phone(*place), FACE).sureness < 0.5


def test_a_room_without_edges_has_no_rim():
    """A head and shoulders are round."""
    assert seen(room(), FACE).sureness < 0.3


@pytest.mark.parametrize(
    "lines",
    [
        # A window's bars, which go on behind the head and past each other.
        [((x, 0), (x, 479)) for x in (150, 490)] + [((0, 70), (639, 70))],
        # A shelf above and a curtain on each side.
        [((x, 0), (x, 479)) for x in (100, 140, 180, 460, 500, 540)] + [((0, 90), (639, 90))],
    ],
)
def test_the_edges_of_a_room_are_less_of_a_rim_than_a_phones(lines):
    """They run past each other."""
    assert seen(room(lines), FACE).sureness < 0.72 < seen(phone(*PHONE), FACE).sureness


def test_edges_that_end_in_corners_are_more_of_a_rim_than_those_that_run_on():
    """The same three edges around a face."""
    ending = [((170, 60), (170, 479)), ((470, 60), (470, 479)), ((170, 60), (470, 60))]
    running = [((170, 0), (170, 479)), ((470, 0), (470, 479)), ((0, 60), (639, 60))]
    assert seen(room(ending), FACE).sureness > seen(room(running), FACE).sureness + 0.2


@pytest.mark.parametrize("shape", [(640, 360, 3), (240, 320, 3), (64, 64, 3)])
def test_an_empty_picture_of_any_shape_has_none(shape):
    """And a face at the picture's very edge is none the worse."""
    grey = np.full(shape, 128, np.uint8)
    for box in (FACE, (0.0, 0.0, 0.3, 0.3), (-0.1, -0.1, 1.2, 1.2), (0.9, 0.5, 0.2, 0.3)):
        assert seen(grey, box).sureness == 0
