"""What stands in the way of judging a face that was found."""

from __future__ import annotations

import numpy as np
import pytest

from shared.liveness.observation import Problem
from tests.unit.vision.fakes import FakeEngine, Watched, scene
from workers.vision.quality import (
    BRIGHTEST,
    CUT_OFF,
    DARKEST,
    LARGEST_SPAN,
    LEAST_EYE_DISTANCE,
    LEAST_SPREAD,
    Light,
    measure_light,
    problem_of,
)

POINTS = np.array([(200, 150), (440, 390)], np.float32)


@pytest.mark.parametrize(
    ("scale", "problem"),
    [
        (LEAST_EYE_DISTANCE * 0.9, Problem.TOO_FAR),
        (LEAST_EYE_DISTANCE * 1.1, None),
        (60.0, None),
        (480 * LARGEST_SPAN / 2, Problem.TOO_CLOSE),
    ],
)
def test_a_face_is_neither_too_small_nor_too_large(scale, problem):
    """Too far to measure lids and lips, or so close that it does not fit in."""
    assert Watched(FakeEngine(scale=scale))(0.0).problem is problem


@pytest.mark.parametrize(
    ("level", "spread", "problem"),
    [
        (DARKEST - 2, 4, Problem.TOO_DARK),
        (DARKEST * 1.6, LEAST_SPREAD / 4, Problem.TOO_DARK),
        (DARKEST * 3, 30, None),
        (128, LEAST_SPREAD / 4, None),
        (128, 60, None),
        (225, LEAST_SPREAD / 4, Problem.TOO_BRIGHT),
        (225, 30, None),
        (BRIGHTEST + 6, 3, Problem.TOO_BRIGHT),
    ],
)
def test_a_face_is_lit_well_enough_to_see_something_in_it(level, spread, problem):
    """Dark and bright alone are not the trouble as long as there are differences; black, white and silhouettes are."""
    picture = scene(int(level), int(spread))
    light = measure_light(picture, POINTS, 60.0)
    assert light.mean == pytest.approx(level, abs=3)
    assert problem_of(picture, POINTS, 60.0, 0.0, light) is problem


def test_the_light_is_that_of_the_face_not_of_the_room():
    """A bright window beside a dark face does not make it bright."""
    picture = np.full((480, 640, 3), 250, np.uint8)
    picture[150:390, 200:440] = 10
    assert measure_light(picture, POINTS, 60.0).mean == pytest.approx(10, abs=1)


@pytest.mark.parametrize(
    ("points", "problem"),
    [
        (POINTS + np.array((1000, 0)), Problem.CUT_OFF),
        (POINTS - np.array((0, 1000)), Problem.CUT_OFF),
        (POINTS * 0, Problem.TOO_DARK),
    ],
)
def test_a_face_outside_the_picture_has_no_light(points, problem):
    """Points of an engine gone wrong are a problem, not an error."""
    picture, points = scene(), points.astype(np.float32)
    light = measure_light(picture, points, 60.0)
    assert light.mean == 0
    assert problem_of(picture, points, 60.0, 0.0, light) is problem


def test_size_comes_before_light():
    """Someone far away in a dim room first comes closer: that alone may help."""
    picture = scene(10, 5)
    assert (
        problem_of(picture, POINTS, LEAST_EYE_DISTANCE / 2, 0.0, measure_light(picture, POINTS, 60.0))
        is Problem.TOO_FAR
    )


@pytest.mark.parametrize(
    ("share", "yaw", "problem"),
    [
        (0.0, 0.0, None),
        (CUT_OFF - 0.02, 0.0, None),
        (CUT_OFF + 0.02, 0.0, Problem.CUT_OFF),
        (CUT_OFF + 0.02, -10.0, None),
        (0.28, 40.0, None),
        (0.28, -40.0, None),
        (0.28, 20.0, Problem.CUT_OFF),
        (0.5, 45.0, Problem.CUT_OFF),
        (1.5, 0.0, Problem.CUT_OFF),
    ],
)
@pytest.mark.parametrize("edge", ["left", "right", "top", "bottom"])
def test_a_face_is_to_be_in_the_picture_but_for_an_ear_or_a_chin(share, yaw, problem, edge):
    """Half a face shows nothing of the other half; a head that turns beside the edge takes a part across it."""
    picture, size = scene(), 240
    across = {"left": -share * size, "right": 640 - (1 - share) * size}.get(edge, 200)
    down = {"top": -share * size, "bottom": 480 - (1 - share) * size}.get(edge, 120)
    points = np.array([(across, down), (across + size, down + size)], np.float32)
    assert problem_of(picture, points, 60.0, yaw, Light(128.0, 60.0, 0.5)) is problem
