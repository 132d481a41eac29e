"""Photos that follow each other, told from a face that changes."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import pytest

from ops.lab.evaluate.attacks.prints import Pose as Paper
from ops.lab.evaluate.attacks.prints import show
from ops.lab.performer import NEUTRAL, Pose
from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence.mixed import mixed
from shared.liveness.frame import Frame
from tests.unit.vision.scenes import T0
from workers.vision.flex import FACE
from workers.vision.mixing import unmixed
from workers.vision.pipeline import Vision

#: A photo of the performer doing nothing, and the other one of the stack.
OTHERS = {"smile": Pose(smile=1.0), "mouth": Pose(jaw=0.8), "eyes": Pose(left_lid=1, right_lid=1)}
#: What photos that follow each other reach and no living face does (measured: 0.90 at most, in the dark).
PHOTOS = 0.92


def score(vision: Vision, pictures: Iterable[np.ndarray], quality: int = 88) -> float | None:
    """What the judge makes of pictures that came eight a second, with a camera's noise."""
    prior, frames, noise = None, [], np.random.default_rng(1)
    for i, picture in enumerate(pictures):
        noisy = np.clip(picture + noise.normal(0, 2, picture.shape), 0, 255).astype(np.uint8)
        data = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
        observation, prior = vision.measure(data, prior, T0 + i / 8)
        frames.append(Frame(str(i), T0 + i / 8, observation))
    return mixed(frames, ChallengeType.SMILE, T0)


def course(fade: int) -> list[float]:
    """How much of the second photo is in each picture: the fade takes so many in between."""
    rise = [k / (fade + 1) for k in range(1, fade + 1)]
    return [0.0] * 6 + rise + [1.0] * 6 + rise[::-1] + [0.0] * 4


#: What is told from a living face here, though the noise leaves some of it under PHOTOS (0.83 to 0.92).
NEARLY = 0.8


# Not the smile, faded: cheeks that are laid over each other a pixel apart are another picture (0.58 to 0.71 here).
@pytest.mark.parametrize(("other", "fade"), [("smile", 0), ("mouth", 0), ("eyes", 0), ("mouth", 3), ("eyes", 3)])
@pytest.mark.parametrize("quality", [60, 95])
def test_photos_that_follow_each_other_are_seen(visions, performer, other, fade, quality):
    """By a cut or by a fade, well sent or badly, and held by a hand that trembles."""
    # The cut smile and the faded eyes are the hardest two.
    least = NEARLY if (other, fade) in {("smile", 0), ("eyes", 3)} else PHOTOS
    one, two = performer.frame(NEUTRAL), performer.frame(OTHERS[other])
    pictures = (
        show(cv2.addWeighted(two, share, one, 1 - share, 0), Paper(yaw=1.5 * np.sin(i), dx=0.003 * np.cos(i)))
        for i, share in enumerate(course(fade))
    )
    found = score(visions["mesh"], pictures, quality)
    assert found is not None
    assert found >= least


@pytest.mark.parametrize("living", ["smile", "mouth"])
def test_a_face_that_goes_the_way_between_is_not_taken_for_photos(visions, performer, living):
    """The performer does the same, and is all the poses between, as it sways a little."""
    end = OTHERS[living]
    shares = course(3)
    poses = (
        Pose(yaw=2 * np.sin(i / 3), pitch=1.5 * np.cos(i / 4), smile=s * end.smile, jaw=s * end.jaw)
        for i, s in enumerate(shares)
    )
    found = score(visions["mesh"], (performer.frame(pose) for pose in poses))
    assert found is not None
    assert found < NEARLY - 0.05


@pytest.fixture
def changes():
    """Two changes that have nothing in common, with noise."""
    chance = np.random.default_rng(3)
    smooth = [cv2.GaussianBlur(chance.normal(0, 60, (56, 56)), (0, 0), 3).astype(np.float32) for _ in range(2)]
    return [s + chance.normal(0, 1, s.shape).astype(np.float32) for s in smooth]


def test_nothing_is_compared_before_something_has_changed(changes):
    """Noise is not kept, and the first change has none to be compared with."""
    noise = np.random.default_rng(4).normal(0, 1, (56, 56)).astype(np.float32)
    assert unmixed(noise, None) == (None, None)
    share, largest = unmixed(changes[0], None)
    assert share is None
    assert largest is not None
    assert unmixed(noise, largest) == (None, largest)


@pytest.mark.parametrize(("much", "kept"), [(0.1, False), (0.4, False), (0.8, True)])
def test_a_fraction_of_a_grey_level_is_no_change(changes, much, kept):
    """However free of noise a picture is: it is what edges leave that lie a little beside each other."""
    smooth = cv2.GaussianBlur(changes[0], (0, 0), 3)
    seen = cv2.blur(smooth, (3, 3)).ravel()[FACE]
    _, largest = unmixed(smooth * np.float32(much / np.sqrt(np.mean(seen**2))), None)
    assert (largest is not None) is kept


@pytest.mark.parametrize("part", [0.4, 0.7, 1.0, 1.3])
def test_more_or_less_of_the_same_is_mixed(changes, part):
    """Each mixture of two pictures is a multiple of their difference."""
    _, largest = unmixed(changes[0], None)
    share, _ = unmixed(part * changes[0], largest)
    assert share == pytest.approx(0, abs=0.1)


def test_something_else_is_not(changes):
    """What has nothing to do with the largest change is all unmixed; half of each is in between."""
    _, largest = unmixed(changes[0], None)
    other, _ = unmixed(changes[1], largest)
    both, _ = unmixed(changes[0] / 2 + changes[1] / 2, largest)
    assert other > 0.8
    assert 0.3 < both < other


def test_the_largest_is_kept_and_what_outgrows_it_far_is_not_judged_by_it(changes):
    """Where a fade begins, what there was is little more than noise."""
    _, small = unmixed(changes[0] / 3, None)
    share, largest = unmixed(changes[1], small)
    assert share is None
    assert np.abs(np.frombuffer(largest, np.float16) - cv2.blur(changes[1], (3, 3)).ravel()[FACE]).max() < 0.1
    assert unmixed(changes[0] / 3, largest)[1] == largest
