"""What the service's own vision sees in the drawing: each pose, in its direction and strength, and little else."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from ops.lab.performer import NEUTRAL, Performer, Pose
from shared.liveness.observation import Face
from tests.performer import require_models, vision_of


class Seen:
    """Measures poses as the frames of one session."""

    def __init__(self, models: Path, engine: str, performer: Performer) -> None:
        self._vision = vision_of(models, engine)
        self._performer = performer
        self.neutral = self(NEUTRAL)

    def __call__(self, pose: Pose) -> Face:
        jpeg = cv2.imencode(".jpg", self._performer.frame(pose))[1].tobytes()
        observation, _ = self._vision.measure(jpeg, None, at=0.0)
        assert observation.faces == 1
        assert observation.problem is None
        assert observation.face is not None
        return observation.face


@pytest.fixture(scope="module", params=["mesh", "dlib"])
def seen(request, models_dir):
    if request.param == "dlib":
        require_models("shape_predictor_68_face_landmarks.dat")
    return Seen(models_dir, request.param, Performer(models_dir))


@pytest.mark.parametrize("yaw", [-30, -20, -10, 10, 20, 30])
def test_a_turn_is_seen_as_far_as_it_goes(seen, yaw):
    assert seen(Pose(yaw=yaw)).yaw - seen.neutral.yaw == pytest.approx(yaw, abs=5)


@pytest.mark.parametrize("pitch", [-10, 10, 26])
def test_a_nod_is_seen_as_far_as_it_goes(seen, pitch):
    face = seen(Pose(pitch=pitch))
    assert face.pitch - seen.neutral.pitch == pytest.approx(pitch, abs=5)
    assert abs(face.yaw - seen.neutral.yaw) < 5


def test_a_tilt_is_seen_as_a_tilt(seen):
    face = seen(Pose(roll=12))
    assert face.roll - seen.neutral.roll == pytest.approx(12, abs=3)
    assert abs(face.yaw - seen.neutral.yaw) < 6


def test_closed_eyes_are_seen_closed(seen):
    face = seen(Pose(left_lid=1, right_lid=1))
    assert face.left_eye < 0.5 * seen.neutral.left_eye
    assert face.right_eye < 0.5 * seen.neutral.right_eye


def test_an_open_mouth_is_seen_and_turns_nothing(seen):
    face = seen(Pose(jaw=1))
    assert face.mouth_open - seen.neutral.mouth_open > 0.18
    assert abs(face.pitch - seen.neutral.pitch) < 4
    assert abs(face.yaw - seen.neutral.yaw) < 4


def test_a_smile_is_seen_wider_and_lifted(seen):
    face = seen(Pose(smile=1))
    assert face.mouth_width > 1.1 * seen.neutral.mouth_width
    assert face.mouth_drop < seen.neutral.mouth_drop - 0.04
    assert abs(face.pitch - seen.neutral.pitch) < 4


def test_a_wink_closes_the_persons_own_left_eye(models_dir):
    seen = Seen(models_dir, "mesh", Performer(models_dir))
    face = seen(Pose(left_lid=1))
    assert face.left_eye < 0.5 * seen.neutral.left_eye
    assert face.right_eye > 0.8 * seen.neutral.right_eye


def test_scale_is_the_size_of_the_face(models_dir):
    usual, small = (Seen(models_dir, "mesh", Performer(models_dir, scale=scale)) for scale in (1.0, 0.6))
    assert small.neutral.box[2] == pytest.approx(0.6 * usual.neutral.box[2], rel=0.1)
    assert small(Pose(nearness=1.5)).box[2] == pytest.approx(0.9 * usual.neutral.box[2], rel=0.15)


@pytest.mark.parametrize(
    "look", [{"glasses": True}, {"brightness": 0.5}, {"scale": 0.7}, {"noise": 5}], ids=lambda look: next(iter(look))
)
def test_gestures_are_seen_however_they_are_filmed(models_dir, look):
    seen = Seen(models_dir, "mesh", Performer(models_dir, **look))
    assert seen(Pose(yaw=25)).yaw - seen.neutral.yaw > 18
    assert seen(Pose(left_lid=1, right_lid=1)).left_eye < 0.6 * seen.neutral.left_eye
    assert seen(Pose(jaw=1)).mouth_open - seen.neutral.mouth_open > 0.15


@pytest.mark.parametrize("brows", [-0.5, 0.5])
def test_brows_that_wander_are_no_other_gesture(seen, brows):
    face = seen(Pose(brows=brows))
    assert abs(face.pitch - seen.neutral.pitch) < 4
    assert face.left_eye > 0.7 * seen.neutral.left_eye
    assert face.mouth_open == pytest.approx(seen.neutral.mouth_open, abs=0.05)
