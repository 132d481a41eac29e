"""A face laid out flat: what moves it changes nothing, what changes it is seen."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ops.lab.evaluate.attacks.features import Expression
from ops.lab.evaluate.attacks.points import FacePoints
from ops.lab.evaluate.attacks.prints import Pose
from ops.lab.evaluate.attacks.puppet import Build, Puppet
from tests.unit.vision.heads import head, seen
from tests.unit.vision.scenes import T0
from workers.vision.flex import SmallFace
from workers.vision.moved import COMPARE_WITHIN
from workers.vision.skin import Skin, changed, lay_out


def place(**pose: float) -> np.ndarray:
    return seen(head(), **pose)[:, :2].astype(np.float32)


def painted(
    points: np.ndarray, *, cheek: float = 0.0, gain: float = 1.0, noise: float = 0.0, seed: int = 1
) -> np.ndarray:
    """A picture with soft spots around the points, the same on the face wherever it is; a cheek can be lit more."""
    y, x = np.mgrid[0:480, 0:640].astype(np.float32)
    unit = np.linalg.norm(points[42:48].mean(axis=0) - points[36:42].mean(axis=0))
    grey = np.full((480, 640), 120, np.float32)
    for i in (1, 4, 12, 15, 21, 22, 29, 30, 31, 35, 48, 54):
        apart = (x - points[i, 0]) ** 2 + (y - points[i, 1]) ** 2
        grey += (-1) ** i * 30 * np.exp(-apart / (2 * (0.25 * unit) ** 2))
    middle = points[[1, 31]].mean(axis=0)
    grey += cheek * np.exp(-((x - middle[0]) ** 2 + (y - middle[1]) ** 2) / (2 * (0.3 * unit) ** 2))
    grain = np.random.default_rng(seed).normal(0, noise, grey.shape) if noise else 0
    return np.repeat(np.clip(gain * grey + grain, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def flat(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
    return lay_out(SmallFace(picture, points), points)


def change(one: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]) -> float:
    found = changed(Skin.of(flat(*one), 0.0), flat(*other))
    assert found is not None
    return found


@pytest.fixture(scope="module")
def rest() -> tuple[np.ndarray, np.ndarray]:
    points = place()
    return painted(points), points


@pytest.mark.parametrize("pose", [{}, {"roll": 15}, {"at": (300.0, 255.0)}, {"scale": 72.0}])
def test_a_face_laid_out_flat_is_the_same_wherever_it_is(rest, pose) -> None:
    points = place(**pose)
    assert change(rest, (painted(points), points)) < 0.003


def test_points_that_tremble_change_nothing(rest) -> None:
    picture, points = rest
    trembled = points + np.random.default_rng(2).normal(0, 0.5, points.shape).astype(np.float32)
    assert change(rest, (picture, trembled)) < 0.004


@pytest.mark.parametrize("gain", [0.7, 1.2])
def test_neither_does_another_exposure_nor_noise(rest, gain) -> None:
    _, points = rest
    assert change(rest, (painted(points, gain=gain, noise=3), points)) < 0.004


def test_a_cheek_in_other_light_is_a_change_and_the_more_the_brighter(rest) -> None:
    _, points = rest
    changes = [change(rest, (painted(points, cheek=cheek, noise=2), points)) for cheek in (0, 8, 16, 32)]
    assert changes == sorted(changes)
    assert changes[1] > 2 * changes[0]
    assert changes[-1] > 0.02


def test_a_face_in_the_dark_is_not_compared(rest) -> None:
    _, points = rest
    black = flat(painted(points, gain=0.03), points)
    assert changed(Skin.of(black, 0.0), black) is None


def measured(vision, pictures: list[np.ndarray]) -> list[float]:
    """The changes of the skin in pictures that came eight a second, with a camera's noise."""
    prior, found, noise = None, [], np.random.default_rng(1)
    for i, picture in enumerate(pictures):
        noisy = np.clip(picture + noise.normal(0, 2, picture.shape), 0, 255).astype(np.uint8)
        data = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 88])[1].tobytes()
        observation, prior = vision.measure(data, prior, T0 + i / 8)
        if observation.skin is not None:
            found.append(observation.skin)
    return found


def test_an_animated_photo_keeps_its_skin_and_a_lamp_that_moves_changes_it(visions, performer, models_dir) -> None:
    """The same movement, with and without a shadow that wanders over the face meanwhile."""
    photo = performer.frame()
    vertices = FacePoints(models_dir).solid(photo)
    assert vertices is not None
    puppet = Puppet(photo, vertices, Build(falloff=0.6, whole=False, inside=(12.0, 10.0, 14.0)))
    frames = [puppet.show(Pose(yaw=8 * np.sin(i / 3), pitch=4 * np.cos(i / 4)), Expression()) for i in range(20)]
    lamps = [1 + 0.15 * np.sin(i / 3) * np.linspace(-1, 1, photo.shape[1])[None, :, None] for i in range(20)]
    lit = [np.clip(frame * lamp, 0, 255).astype(np.uint8) for frame, lamp in zip(frames, lamps, strict=True)]
    carried, living = (np.quantile(measured(visions["mesh"], pictures), 0.7) for pictures in (frames, lit))
    assert carried < 0.004
    assert living > 2 * carried


def test_the_face_that_is_kept_is_taken_anew_after_a_while(visions, performer) -> None:
    vision, data = visions["mesh"], cv2.imencode(".jpg", performer.frame())[1].tobytes()
    prior, kept = None, []
    for i in range(24):
        _, prior = vision.measure(data + bytes([i]), prior, T0 + i / 8)  # the same picture, by other bytes
        assert prior is not None
        kept.append(prior.skin.at if prior.skin else None)
    # Not with the first frame, whose points may lie roughly.
    assert kept[0] is None
    assert kept[1] == T0 + 1 / 8
    times = list(dict.fromkeys(kept[1:]))
    assert len(times) == 2
    assert times[1] - times[0] == pytest.approx(COMPARE_WITHIN, abs=0.01)
