"""What Vision makes of whole scenes, with either engine: nobody, two people, darkness, someone who comes and goes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ops.lab.performer import NEUTRAL, Performer, Pose
from shared.liveness.observation import Problem
from tests.unit.vision.pictures import encode
from tests.unit.vision.scenes import dimmed, observations, tilted

SOMEONE = 8


@pytest.fixture(scope="module")
def face(performer) -> np.ndarray:
    """The performer at rest."""
    return performer.frame(NEUTRAL)


@pytest.fixture(scope="module")
def empty(performer) -> np.ndarray:
    """The same room without anybody."""
    return performer.frame(Pose(x=SOMEONE))


def test_a_face_is_found_and_followed(vision, performer):
    """Frame after frame there is one face, where it was, steady, and without a problem."""
    seen = observations(vision, [encode(performer.frame(NEUTRAL)) for _ in range(10)])
    assert all(o.usable and o.faces == 1 for o in seen)
    yaws, pitches = ([getattr(o.face, name) for o in seen] for name in ("yaw", "pitch"))
    assert np.std(yaws) < 1.5
    assert np.std(pitches) < 1.5
    assert abs(np.mean(yaws)) < 8
    assert all(0.2 < o.face.left_eye < 0.5 and 0.2 < o.face.right_eye < 0.5 for o in seen)


def test_someone_who_leaves_and_comes_back_is_lost_and_found_again(vision, face, empty):
    """An empty room has no face, not even where one was a moment ago (dlib's points may linger for a second)."""
    seen = observations(vision, [encode(p) for p in [face] * 4 + [empty] * 14 + [face] * 3])
    assert [o.problem for o in seen[:4]] == [None] * 4
    assert [o.problem for o in seen[14:18]] == [Problem.NO_FACE] * 4
    assert all(o.faces == 0 and o.face is None for o in seen[14:18])
    assert all(o.usable for o in seen[18:])


def test_the_mesh_knows_at_once_that_nobody_is_there_any_more(visions, face, empty):
    """Its own score says so, in the first frame."""
    seen = observations(visions["mesh"], [encode(face), encode(empty)])
    assert [o.problem for o in seen] == [None, Problem.NO_FACE]


def test_a_face_that_moves_across_the_picture_is_followed(vision, performer):
    """From one side to the other within two seconds."""
    frames = [encode(performer.frame(Pose(x=x))) for x in np.linspace(-1.2, 1.2, 16)]
    seen = observations(vision, frames)
    assert all(o.usable for o in seen)
    middles = [o.face.box[0] + o.face.box[2] / 2 for o in seen]
    assert all(np.diff(middles) > 0)


def test_two_people_side_by_side_are_too_many(vision, face):
    """It is not for us to choose between them."""
    both = np.hstack([face[:, 160:480], face[:, 160:480]])
    for observation in observations(vision, [encode(both)] * 3):
        assert (observation.faces, observation.problem) == (2, Problem.SEVERAL_FACES)


def test_someone_who_joins_is_noticed_within_a_second(vision, face):
    """Also while the first face is being followed."""
    one, both = face.copy(), np.hstack([face[:, 160:480], face[:, 160:480]])
    one[:, :320] = both[:, :320]
    one[:, 320:] = 90
    seen = observations(vision, [encode(one)] * 4 + [encode(both)] * 8)
    assert seen[3].faces == 1
    assert seen[-1].problem is Problem.SEVERAL_FACES


def test_a_dark_picture_is_too_dark(visions, performer, face):
    """Whether the face is still found in it or not."""
    for part in (0.01, 0.02):
        (seen,) = observations(visions["mesh"], [encode(dimmed(face, part))])
        assert seen.problem is Problem.TOO_DARK
        assert not seen.usable


def test_a_burnt_out_face_is_too_bright(visions, models_dir):
    """A lamp in the face leaves nothing to measure."""
    pale = Performer(models_dir, noise=0).frame(NEUTRAL).astype(float)
    frame = np.clip(pale * 0.08 + 235, 0, 255).astype(np.uint8)
    prior = visions["mesh"].measure(encode(pale.astype(np.uint8)), None, 0.0)[1]
    observation, _ = visions["mesh"].measure(encode(frame), prior, 0.1)
    assert observation.problem in (Problem.TOO_BRIGHT, Problem.NO_FACE)
    assert not observation.usable


def test_someone_who_goes_away_is_asked_closer(vision, performer):
    """The face is followed until it is too small to judge, and the person is told why."""
    steps = [encode(performer.frame(Pose(nearness=near))) for near in np.linspace(1, 0.2, 25)]
    seen = observations(vision, steps)
    assert all(o.faces == 1 for o in seen)
    problems = [o.problem for o in seen]
    assert problems[0] is None
    assert problems[-1] is Problem.TOO_FAR
    assert problems == sorted(problems, key=lambda problem: problem is not None)


def test_someone_who_is_far_away_from_the_beginning_is_asked_closer(visions, models_dir):
    """Who has never been near is not told that there is nobody. (dlib's finder does not see as far.)"""
    (seen,) = observations(visions["mesh"], [encode(Performer(models_dir, scale=0.32).frame(NEUTRAL))])
    assert seen.problem is Problem.TOO_FAR


def test_someone_too_close_does_not_fit_in(visions, face):
    """Half a face cannot be judged."""
    close = cv2.resize(face[180:300, 240:400], (640, 480))
    (seen,) = observations(visions["mesh"], [encode(close)])
    assert not seen.usable


def test_a_mirrored_picture_swaps_left_and_right_and_nothing_else(vision, performer):
    """A turned, winking face in a mirror is turned the other way, and winks with the other eye."""
    frame = performer.frame(Pose(yaw=18, roll=6, left_lid=1, jaw=0.3))
    plain, other = (observations(vision, [encode(p)])[0].face for p in (frame, cv2.flip(frame, 1)))
    back = other.mirrored()
    for name, far in {
        "yaw": 5,
        "pitch": 4,
        "roll": 2.5,
        "left_eye": 0.08,
        "right_eye": 0.08,
        "mouth_open": 0.06,
    }.items():
        assert getattr(back, name) == pytest.approx(getattr(plain, name), abs=far), name
    assert plain.yaw > 10 > -10 > other.yaw
    assert plain.roll > 3


def test_the_persons_own_left_eye_is_the_one_that_winks(visions, performer):
    """Left and right are the person's own."""
    (wink,) = observations(visions["mesh"], [encode(performer.frame(Pose(left_lid=1)))])
    assert wink.face.left_eye < 0.6 * wink.face.right_eye


def test_a_tilted_camera_tilts_the_face_and_opens_no_mouth(vision, face):
    """In-plane rotation is roll; what eyes and mouth do stays as it was."""
    straight, turned = (observations(vision, [encode(p)])[0].face for p in (face, tilted(face, 12)))
    assert turned.roll - straight.roll == pytest.approx(12, abs=3)
    assert turned.mouth_open == pytest.approx(straight.mouth_open, abs=0.05)
    assert turned.left_eye == pytest.approx(straight.left_eye, abs=0.07)


def test_measures_are_the_same_at_every_resolution(vision, face):
    """Angles, eyes and mouth, and where the face is, do not change with the number of pixels."""
    small = cv2.resize(face, (480, 360), interpolation=cv2.INTER_AREA)
    large = cv2.resize(face, (1280, 960), interpolation=cv2.INTER_LINEAR)
    first, *others = (observations(vision, [encode(p)])[0].face for p in (face, small, large))
    for other in others:
        assert (other.yaw, other.pitch) == pytest.approx((first.yaw, first.pitch), abs=4)
        assert (other.left_eye, other.mouth_width) == pytest.approx((first.left_eye, first.mouth_width), abs=0.07)
        assert other.scale == pytest.approx(first.scale, rel=0.07)
        assert other.box == pytest.approx(first.box, abs=0.03)


@pytest.mark.parametrize(("part_of_eye_distance", "problem"), [(0.01, None), (0.1, Problem.TOO_BLURRED)])
def test_a_blurred_picture_is_told_so(visions, face, part_of_eye_distance, problem):
    """A smeared lens or a shaken camera hides what lids and lips do; a little softness does not."""
    # At 0.15 the finder misses it in 24 of 300 pictures, by the noise of each.
    blurred = cv2.GaussianBlur(face, (0, 0), part_of_eye_distance * 65)
    (seen,) = observations(visions["mesh"], [encode(blurred)])
    assert seen.problem is problem
