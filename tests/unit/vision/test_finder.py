"""Faces anywhere in a picture: where, how large, and each only once."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.lab.performer import NEUTRAL, Performer, Pose
from tests.unit.vision.fakes import FACE, FakeFinder
from workers.vision.finder import BlazeFinder, DlibFinder, Finder, Found, SecondOpinion

BOXES = st.builds(
    Found, st.floats(0, 600), st.floats(0, 400), st.floats(5, 300), st.floats(5, 300), st.just(0.0), st.just(0.9)
)


@given(BOXES, BOXES)
def test_overlap_is_a_share_and_the_same_both_ways(one, other):
    """0 for boxes apart, 1 for the same box."""
    assert 0 <= one.overlap(other) <= 1 + 1e-9
    assert one.overlap(other) == pytest.approx(other.overlap(one))
    assert one.overlap(one) == pytest.approx(1)


@pytest.mark.parametrize(
    ("x", "y", "width", "expected"),
    [(100, 0, 100, 0), (50, 0, 100, 1 / 3), (25, 25, 50, 0.25), (-500, 0, 100, 0), (0, 99.999, 100, 0)],
)
def test_overlap_is_what_two_boxes_share_of_what_they_cover(x, y, width, expected):
    """Intersection over union, for boxes that touch, lie in each other or apart."""
    one = Found(0, 0, 100, 100, 0, 1)
    assert one.overlap(Found(x, y, width, width, 0, 1)) == pytest.approx(expected, abs=1e-4)


def test_the_region_around_a_box_is_square_and_has_its_middle_and_tilt():
    """So that an engine gets the whole face, also of a box that is higher than wide."""
    region = Found(100, 50, 80, 120, 12.0, 1).region(1.5)
    assert (region.x, region.y, region.side, region.angle) == (140, 110, 180, 12.0)


@pytest.fixture(scope="module", params=["blaze", "dlib"])
def finder(request, models_dir) -> Finder:
    return BlazeFinder(models_dir) if request.param == "blaze" else DlibFinder()


@pytest.fixture(scope="module")
def alone(performer) -> np.ndarray:
    return performer.frame(NEUTRAL)


def test_one_face_is_found_once_and_where_it_is(finder, alone):
    """Each finder gives one box, around the face, however many of its cells have seen it."""
    (found,) = finder.find(alone)
    x, y = found.x + found.width / 2, found.y + found.height / 2
    assert x == pytest.approx(320, abs=25)
    assert y == pytest.approx(240, abs=45)
    assert 90 < found.width < 220
    assert found.score > 0.6


def test_a_face_is_found_where_it_goes(finder, alone):
    """Boxes are in the picture's own pixels, whatever size it was searched at."""
    (here,) = finder.find(alone)
    (there,) = finder.find(np.roll(alone, (-40, 120), axis=(0, 1)))
    assert (there.x - here.x, there.y - here.y) == pytest.approx((120, -40), abs=14)
    (smaller,) = finder.find(cv2.resize(alone, (480, 360), interpolation=cv2.INTER_AREA))
    assert smaller.width == pytest.approx(0.75 * here.width, rel=0.12)
    assert smaller.x == pytest.approx(0.75 * here.x, abs=12)


def test_faces_are_found_in_upright_pictures_too(finder, alone):
    """A phone's picture is higher than it is wide."""
    (here,) = finder.find(alone)
    (upright,) = finder.find(np.ascontiguousarray(alone[:, 140:500]))
    assert upright.x == pytest.approx(here.x - 140, abs=12)


def test_two_faces_are_two_the_larger_first(finder, models_dir, alone):
    """Side by side, each is found once, in the order of their size."""
    small = Performer(models_dir, scale=0.75).frame(NEUTRAL)
    both = np.hstack([small[:, 170:470], alone[:, 170:470]])
    larger, smaller = finder.find(both)
    assert larger.width * larger.height > smaller.width * smaller.height
    assert smaller.x + smaller.width / 2 < 300 < larger.x + larger.width / 2


@pytest.mark.parametrize("level", [0, 128, 255])
def test_nothing_is_found_in_nothing(finder, level):
    """Plain pictures and noise hold no face."""
    assert finder.find(np.full((480, 640, 3), level, np.uint8)) == []
    assert finder.find(np.random.default_rng(level).integers(0, 256, (480, 640, 3), dtype=np.uint8)) == []


@pytest.mark.parametrize(
    ("scores", "asked", "found"), [([], 0, 0), ([0.4], 1, 1), ([0.9], 0, 1), ([0.4, 0.9], 0, 1), ([0.9, 0.6], 0, 2)]
)
def test_a_second_opinion_is_asked_for_where_there_is_doubt(scores, asked, found):
    """The slower finder is for what the faster one is not sure of: where there is nothing, it has nothing to say."""
    first = FakeFinder([replace(FACE, score=score) for score in scores])
    second = FakeFinder()
    assert len(SecondOpinion(first, second, 0.5).find(np.zeros((480, 640, 3), np.uint8))) == found
    assert second.asked == asked


def test_blaze_says_how_a_face_is_tilted(models_dir, performer):
    """The line of the eyes, clockwise in the picture, so that the engine gets it upright."""
    angles = [BlazeFinder(models_dir).find(performer.frame(Pose(roll=roll)))[0].angle for roll in (-20, 0, 20)]
    assert np.diff(angles) == pytest.approx([20, 20], abs=9)
