"""What a frame is, whatever the person does in it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from ops.lab.performer import NEUTRAL, Performer, Pose
from shared.liveness.challenge import ChallengeType

TURNED = Pose(yaw=25, pitch=-5, jaw=0.6)


def test_frames_are_bgr_pictures_of_the_usual_size(performer):
    frame = performer.frame()
    assert frame.shape == (480, 640, 3)
    assert frame.dtype == np.uint8


@pytest.mark.parametrize("size", [(320, 240), (480, 640), (1280, 720)])
def test_any_size_can_be_asked_for(models_dir, size):
    assert Performer(models_dir, size=size).frame(TURNED).shape == (size[1], size[0], 3)


def test_the_same_seed_gives_the_same_pixels(models_dir):
    one, other = Performer(models_dir, seed=3), Performer(models_dir, seed=3)
    for pose in (NEUTRAL, TURNED):
        assert np.array_equal(one.frame(pose), other.frame(pose))


def test_another_seed_gives_another_room_and_other_movements(models_dir):
    one, other = (Performer(models_dir, seed=seed, noise=0) for seed in (1, 2))
    assert np.abs(one.frame().astype(int) - other.frame()).mean() > 3
    firsts = [next(p.performance([ChallengeType.BLINK])) for p in (one, other)]
    assert not np.array_equal(*firsts)


def test_a_cameras_noise_makes_no_two_frames_alike(performer):
    one, other = performer.frame(), performer.frame()
    difference = np.abs(one.astype(int) - other)
    assert 0.5 < difference.mean() < 6


def test_the_room_does_not_move_with_the_head(models_dir):
    performer = Performer(models_dir, noise=0)
    straight, turned = performer.frame(), performer.frame(TURNED)
    for room in (np.s_[:, :110], np.s_[:200, 530:], np.s_[:15]):
        assert np.array_equal(straight[room], turned[room])
    assert not np.array_equal(straight[100:300, 250:400], turned[100:300, 250:400])


def test_mirrored_frames_are_the_frames_of_a_mirror(models_dir):
    plain, mirrored = (Performer(models_dir, noise=0, mirrored=m) for m in (False, True))
    assert np.array_equal(plain.frame(TURNED), cv2.flip(mirrored.frame(TURNED), 1))


def test_brightness_multiplies_every_pixel(models_dir):
    plain, dim = (Performer(models_dir, noise=0, brightness=b).frame() for b in (1.0, 0.5))
    assert np.abs(dim - plain / 2).max() <= 0.5


def test_glasses_are_drawn_around_the_eyes_and_nowhere_else(models_dir):
    bare, worn = (Performer(models_dir, noise=0, glasses=g).frame() for g in (False, True))
    rows, columns = np.nonzero(np.abs(bare.astype(int) - worn).sum(axis=2))
    assert 170 < rows.min() < rows.max() < 250
    assert 230 < columns.min() < columns.max() < 410


def test_without_its_model_it_says_what_is_missing(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"face_landmark\.tflite.*ops/up"):
        Performer(tmp_path)
