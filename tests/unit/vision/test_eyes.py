"""How open each eye is, by the model that looks at eyes alone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ops.lab.performer import Pose
from tests.unit.vision.heads import mirrored
from workers.vision.eyes import EyeContours
from workers.vision.landmarks import Region
from workers.vision.mesh import Mesh


@pytest.fixture(scope="module")
def eyes(models_dir) -> EyeContours:
    return EyeContours(models_dir)


@pytest.fixture(scope="module")
def points_of(models_dir):
    """The performer's 68 points in a frame."""
    mesh = Mesh(models_dir)
    return lambda frame: mesh.locate(frame, Region(320, 240, 280)).points.astype(np.float64)


@pytest.mark.parametrize("pose", [Pose(), Pose(left_lid=1), Pose(right_lid=0.6), Pose(yaw=15, roll=8)])
def test_a_mirror_swaps_the_eyes(eyes, points_of, performer, pose):
    """Both eyes are looked at in the same way: what one is here, the other is there."""
    frame = performer.frame(pose)
    points = points_of(frame)
    left, right = eyes.look(frame, points).openness
    there = eyes.look(np.ascontiguousarray(cv2.flip(frame, 1)), mirrored(points, 639)).openness
    assert there == pytest.approx((right, left), abs=0.004)


@pytest.mark.parametrize("side", ["left", "right"])
def test_each_lid_closes_its_own_eye_all_the_way(eyes, points_of, performer, side):
    """The further the lid comes down, the less open its eye is; the other one stays as it was."""
    frames = [performer.frame(Pose(**{f"{side}_lid": lid})) for lid in (0, 0.4, 0.7, 1)]
    seen = [eyes.look(f, points_of(f)).openness for f in frames]
    own, other = zip(*(pair if side == "left" else pair[::-1] for pair in seen), strict=True)
    assert list(own) == sorted(own, reverse=True)
    assert own[-1] < 0.5 * own[0]
    assert min(other) > 0.85 * other[0]
