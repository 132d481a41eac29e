"""Dark pictures are made lighter for the networks, and only those."""

from __future__ import annotations

import numpy as np
import pytest

from workers.vision.lighten import lightened

WHOLE = (0.0, 0.0, 640.0, 480.0)


def picture(level: int) -> np.ndarray:
    return np.full((480, 640, 3), level, np.uint8)


@pytest.mark.parametrize("level", [60, 128, 255])
def test_a_picture_in_fair_light_stays_as_it_is(level):
    """Not even copied."""
    given = picture(level)
    assert lightened(given, WHOLE) is given


@pytest.mark.parametrize("level", [13, 30, 59])
def test_a_dark_one_is_brought_to_a_level_that_faces_are_seen_at(level):
    """Whatever it was."""
    assert lightened(picture(level), WHOLE).mean() == pytest.approx(100, abs=2)


def test_a_black_one_is_not_made_all_noise():
    """There is a most that levels are multiplied by."""
    assert lightened(picture(2), WHOLE).max() == 16


def test_the_part_decides():
    """A dark face before a bright window is what is to be seen."""
    given = picture(240)
    given[100:300, 200:400] = 25
    assert lightened(given, (200.0, 100.0, 400.0, 300.0))[200, 300, 0] == 100
    assert lightened(given, WHOLE) is given


@pytest.mark.parametrize("part", [(700.0, 0.0, 900.0, 90.0), (-50.0, -50.0, 0.0, 0.0)])
def test_a_part_outside_the_picture_is_no_error(part):
    """Points of an engine gone wrong."""
    assert lightened(picture(128), part).shape == (480, 640, 3)
