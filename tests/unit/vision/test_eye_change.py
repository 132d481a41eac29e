"""Eyes that come back to what they were, wherever the head has gone meanwhile, and eyes that do not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ops.lab.evaluate.attacks.features import Expression
from ops.lab.evaluate.attacks.points import FacePoints
from ops.lab.evaluate.attacks.prints import Pose
from ops.lab.evaluate.attacks.puppet import Build, Puppet
from shared.liveness.evidence.same_eyes import same_eyes
from shared.liveness.frame import Frame
from tests.unit.vision.scenes import T0
from workers.vision.eye_change import EyePicture, compare_eyes

#: The side in pixels of the iris model's input.
SIDE = 64


def eye(*, lid: float = 0.0, gaze: float = 0.0, gain: float = 1.0, seed: int = 0, **place: float) -> np.ndarray:
    """A drawn eye with a camera's noise.

    lid, gaze: how many pixels the upper lid is lower, and the iris further to the right; place: `turn` in degrees, `size`,
    `x` and `y` in pixels.
    """
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    grey = np.full((SIDE, SIDE), 165, np.float32) + 12 * np.sin(x / 7) * np.cos(y / 9)

    def shade(inside: np.ndarray, level: float) -> None:
        share = 1 / (1 + np.exp(-inside / 1.2))
        grey[:] = grey * (1 - share) + level * share

    arch = 8 * np.maximum(0, 1 - ((x - 31.5) / 15) ** 2)
    opening = np.minimum(y - (31.5 - arch) - lid, 31.5 + arch - y)
    shade(opening, 215)
    shade(np.minimum(6.5 - np.hypot(x - 31.5 - gaze, y - 31.5), opening), 70)
    shade(1.2 - np.abs(y - (31.5 - arch) - lid) - 50 * (arch <= 0), 60)
    map_ = cv2.getRotationMatrix2D((31.5, 31.5), place.get("turn", 0.0), place.get("size", 1.0))
    map_[:, 2] += place.get("x", 0.0), place.get("y", 0.0)
    moved = gain * cv2.warpAffine(grey, map_, (SIDE, SIDE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    noise = np.random.default_rng(seed).normal(0, 2, moved.shape)
    return np.repeat(np.clip(moved + noise, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def eyes(*, seed: int = 0, **what: float) -> tuple[np.ndarray, np.ndarray]:
    """Both eyes doing the same."""
    return eye(seed=2 * seed, **what), eye(seed=2 * seed + 1, **what)


def changes(film: list[tuple[np.ndarray, np.ndarray]]) -> list[float | None]:
    """The changes of eyes that are seen four times a second."""
    kept: tuple[EyePicture, ...] = ()
    found = []
    for i, pair in enumerate(film):
        kept, change = compare_eyes(kept, pair, T0 + i / 4)
        found.append(change)
    return found


def change(**what: float) -> float:
    """The change from eyes at rest."""
    nothing, found = changes([eyes(), eyes(seed=1, **what)])
    assert nothing is None
    assert found is not None
    return found


@pytest.mark.parametrize(
    "moved",
    [{}, {"x": 2.0, "y": -1.5}, {"turn": 5.0}, {"size": 1.06}, {"gain": 0.75}, {"x": -1.5, "turn": -4.0, "size": 0.95}],
)
def test_eyes_that_move_with_the_head_do_not_change(moved) -> None:
    assert change(**moved) < 0.03


@pytest.mark.parametrize("what", ["lid", "gaze"])
def test_the_further_a_lid_or_the_gaze_goes_the_more_the_eyes_change(what) -> None:
    found = [change(**{what: pixels}) for pixels in (0.0, 1.5, 3.0, 6.0)]
    assert found == sorted(found)
    assert found[1] > 0.045


def test_eyes_are_compared_with_those_that_they_are_most_like() -> None:
    """Before, during and after a blink, and during the next one."""
    film = [eyes(seed=i, lid=lid) for i, lid in enumerate((0, 0, 9, 14, 0, 9, 0))]
    at_rest, closing, closed, opened, again, last = changes(film)[1:]
    assert max(at_rest, opened, again, last) < 0.03
    assert min(closing, closed) > 0.1


def test_what_is_further_back_than_two_seconds_is_forgotten() -> None:
    film = [eyes(seed=i, gaze=gaze) for i, gaze in enumerate((0, *(2.5 * k for k in range(-4, 4) if k), 0))]
    assert changes([film[0], film[-1]])[1] < 0.03
    assert changes(film)[-1] > 0.045


def test_frames_in_quick_succession_are_not_compared() -> None:
    kept, _ = compare_eyes((), eyes(), T0)
    assert compare_eyes(kept, eyes(seed=1, gaze=5), T0 + 0.125) == (kept, None)
    later, found = compare_eyes(kept, eyes(seed=1), T0 + 0.25)
    assert found is not None
    assert [picture.at for picture in later] == [T0, T0 + 0.25]


def test_eyes_in_the_dark_are_not_compared() -> None:
    assert changes([eyes(gain=0.03), eyes(seed=1, gain=0.03)])[1] is None


def filmed(vision, pictures: list[np.ndarray]) -> list[Frame]:
    """Frames of pictures that came eight a second, with a camera's noise."""
    prior, frames, noise = None, [], np.random.default_rng(1)
    for i, picture in enumerate(pictures):
        noisy = np.clip(picture + noise.normal(0, 2, picture.shape), 0, 255).astype(np.uint8)
        data = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 88])[1].tobytes()
        observation, prior = vision.measure(data, prior, T0 + i / 8)
        frames.append(Frame(str(i), T0 + i / 8, observation))
    return frames


def test_a_photo_that_blinks_comes_back_to_its_eyes_and_eyes_that_wander_do_not(visions, performer, models_dir) -> None:
    """The same head movement: one photo that blinks, and lids that are never twice at the same height."""
    photo = performer.frame()
    vertices = FacePoints(models_dir).solid(photo)
    assert vertices is not None
    puppet = Puppet(photo, vertices, Build(falloff=0.6, whole=False, inside=(12.0, 10.0, 14.0)))
    poses = [Pose(yaw=3 * np.sin(i / 3), pitch=2 * np.cos(i / 4)) for i in range(22)]
    blinks = [1.0 if i in (10, 11) else 0.0 for i in range(22)]
    lids = [0.5 * i / 22 for i in range(22)]
    scores = []
    for film in (blinks, lids):
        frames = filmed(
            visions["mesh"], [puppet.show(p, Expression(lids=lid)) for p, lid in zip(poses, film, strict=True)]
        )
        scores.append(same_eyes(frames, T0))
    photo_score, living_score = scores
    assert photo_score > 0.5
    assert living_score < 0.6 * photo_score
