"""Whether a face's picture moved, beyond the camera's noise."""

from __future__ import annotations

import numpy as np
import pytest

from workers.vision.landmarks import Picture
from workers.vision.stir import stir, take_patch

#: The nose's tip of some points in the picture's middle.
POINTS = np.full((68, 2), (160, 120), np.float32)
EYE_DISTANCE = 60.0


@pytest.fixture(scope="module")
def face() -> np.ndarray:
    """Something with a face's coarse contrast, as light as one in a room."""
    y, x = np.mgrid[0:240, 0:320]
    level = 120 + 40 * np.sin(x / 17) * np.cos(y / 13)
    return np.repeat(level[:, :, None], 3, axis=2)


def filmed(level: np.ndarray, noise: float, seed: int) -> Picture:
    """As a camera shows it."""
    return np.clip(level + np.random.default_rng(seed).normal(0, noise, level.shape), 0, 255).astype(np.uint8)


def between(before: Picture, after: Picture) -> float | None:
    patch = take_patch(before, POINTS, EYE_DISTANCE)
    assert patch is not None
    return stir(patch, after)


def test_the_same_picture_again_does_not_stir(face):
    """Not even by noise."""
    picture = filmed(face, 3, 1)
    assert between(picture, picture) == 0.0


@pytest.mark.parametrize("noise", [1.5, 4.0, 8.0])
def test_a_still_under_noise_hardly_stirs(face, noise):
    """Noise knows nothing of its neighbours: averaged, it all but vanishes."""
    stirred = between(filmed(face, noise, 1), filmed(face, noise, 2))
    assert stirred is not None
    assert stirred < 3


@pytest.mark.parametrize(("noise", "pixels"), [(1.5, 0.5), (4.0, 1.0)])
def test_a_movement_of_a_pixel_or_less_stirs(face, noise, pixels):
    """A face that breathes."""
    moved = (1 - pixels) * face + pixels * np.roll(face, 1, axis=1)
    stirred = between(filmed(face, noise, 1), filmed(moved, noise, 2))
    assert stirred is not None
    assert stirred > 3


def test_a_lamp_that_flickers_is_no_movement(face):
    """All pixels alike."""
    stirred = between(filmed(face, 3, 1), filmed(face + 12, 3, 2))
    assert stirred is not None
    assert stirred < 3


def test_in_the_dark_stillness_means_nothing_and_movement_does(face):
    """What moves by little is drowned in noise: then nobody knows."""
    dark = 0.05 * face
    assert between(filmed(dark, 4, 1), filmed(dark, 4, 2)) is None
    moved = between(filmed(dark, 1.5, 1), filmed(np.roll(dark, 20, axis=1), 1.5, 2))
    assert moved is not None
    assert moved > 3
