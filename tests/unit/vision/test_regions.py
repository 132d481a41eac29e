"""The square that an engine looks at, and the way back from it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.vision.landmarks import Region, region_map

REGIONS = st.builds(Region, st.floats(-50, 700), st.floats(-50, 500), st.floats(20, 900), st.floats(-180, 180))
SIDES = st.sampled_from([64, 128, 192, 200])


def mapped(to_square: np.ndarray, points: np.ndarray) -> np.ndarray:
    return points @ to_square[:, :2].T + to_square[:, 2]


@settings(deadline=None)
@given(REGIONS, SIDES, st.lists(st.tuples(st.floats(0, 640), st.floats(0, 480)), min_size=1, max_size=5))
def test_there_and_back_again(region, side, points):
    """Points that an engine finds in its square come back to where they are in the picture."""
    to_square = region_map(region, side)
    back = cv2.invertAffineTransform(to_square)
    there = mapped(to_square, np.array(points))
    assert mapped(back, there) == pytest.approx(np.array(points), abs=0.05)


@settings(deadline=None)
@given(REGIONS, SIDES)
def test_the_region_fills_the_square(region, side):
    """Its middle is the square's middle, its corners are the square's corners."""
    to_square = region_map(region, side)
    turn = np.radians(region.angle)
    right, down = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    centre = np.array([region.x, region.y])
    corners = [centre + region.side / 2 * (x * right + y * down) for x, y in ((-1, -1), (1, -1), (1, 1), (0, 0))]
    expected = np.array([(0, 0), (side, 0), (side, side), (side / 2, side / 2)])
    assert mapped(to_square, np.array(corners)) == pytest.approx(expected, abs=0.05)


def test_a_tilted_face_stands_upright_in_its_square():
    """A face tilted clockwise by the region's angle has its eyes level there."""
    tilt = np.radians(30)
    eyes = np.array([[300, 200], [300 + 50 * np.cos(tilt), 200 + 50 * np.sin(tilt)]])
    right, left = mapped(region_map(Region(320, 230, 150, 30.0), 192), eyes)
    assert left[1] == pytest.approx(right[1], abs=1e-3)
    assert left[0] > right[0]
