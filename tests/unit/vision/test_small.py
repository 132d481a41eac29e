"""The arithmetic on small pictures gives what NumPy's general functions give."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from workers.vision import face_model, flex
from workers.vision.small import block_means, fine_detail, median, solution

CHANCE = np.random.default_rng(3)


@pytest.mark.parametrize("count", [1, 2, 5, 616])
def test_median(count: int) -> None:
    values = CHANCE.normal(size=count).astype(np.float32)
    assert median(values) == np.median(values)


def test_block_means() -> None:
    pixels = CHANCE.normal(size=(56, 32)).astype(np.float32)
    assert np.allclose(block_means(pixels), pixels.reshape(14, 4, 8, 4).mean(axis=(1, 3)), atol=1e-6)


def test_solution() -> None:
    half, right = CHANCE.normal(size=(12, 12)), CHANCE.normal(size=12)
    equations = half @ half.T + np.eye(12)
    assert np.allclose(solution(equations, right), np.linalg.solve(equations, right))


def test_fine_detail() -> None:
    pixels = CHANCE.normal(size=(20, 20)).astype(np.float32)
    part = np.array([25, 26, 47, 210])
    assert fine_detail(pixels, part) == np.median(np.abs(cv2.Laplacian(pixels, cv2.CV_32F).ravel()[part]))


def test_the_pose_is_the_nearest_rotation() -> None:
    points = np.zeros((68, 2), np.float32)
    points[face_model.RIGID] = CHANCE.normal(size=(len(face_model.RIGID), 2)) * 40 + 200
    rigid = points[face_model.RIGID].astype(np.float64)
    u, s, vt = np.linalg.svd((face_model._PSEUDO_INVERSE @ (rigid - rigid.mean(axis=0))).T, full_matrices=False)
    pose = face_model.fit_pose(points)
    assert np.allclose(pose.rotation[:2], u @ vt)
    assert np.allclose(pose.rotation @ pose.rotation.T, np.eye(3))
    assert np.allclose((pose.scale, pose.evenness), (s.mean(), s[1] / s[0]))


@pytest.mark.parametrize("scale", [0.85, 0.93, 1.0, 1.08, 1.14, 1.2])
def test_faces_of_unlike_resolution_are_not_compared(scale: float) -> None:
    found = []
    for _ in range(40):
        moved = np.diag((scale, CHANCE.uniform(0.9, 1.1), 1.0)) + CHANCE.normal(size=(3, 3)) * (
            (0.04,),
            (0.04,),
            (2e-4,),
        )
        depth = moved[2] @ flex._MIDDLE
        jacobian = moved[:2, :2] / depth - np.outer(moved[:2] @ flex._MIDDLE, moved[2, :2]) / depth**2
        longer, shorter = np.linalg.svd(jacobian, compute_uv=False)
        alike = longer <= flex._SQUEEZED * shorter and 1 / flex._LARGER <= longer * shorter <= flex._LARGER
        assert flex._alike_in_resolution(moved) == alike
        found.append(alike)
    assert scale != 1.0 or len(set(found)) == 2


def test_a_fit_that_has_lost_the_face_compares_nothing() -> None:
    assert not flex._alike_in_resolution(np.zeros((3, 3)))
