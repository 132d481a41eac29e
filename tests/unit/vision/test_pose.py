"""Which way a head looks, from where its points are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.vision.heads import FLIP, Array, head, mirrored, seen, turned_in_plane
from workers.vision.face_model import RIGID, Pose, fit_pose

HEAD = head()
NOSE_TIP, EYE_CORNERS = 30, [36, 39, 42, 45]
ANGLES = st.floats(-40, 40)
MANY = settings(max_examples=60, deadline=None)


def pose(**how: object) -> Pose:
    return fit_pose(seen(HEAD, **how)[:, :2].astype(np.float32))


def nose(points: Array) -> Array:
    """Where the nose's tip is, from the middle between the eyes; pixels."""
    return points[NOSE_TIP, :2] - points[EYE_CORNERS, :2].mean(axis=0)


@MANY
@given(st.floats(-50, 50), ANGLES)
def test_a_turned_and_nodding_head_is_seen_as_it_stands(yaw, pitch):
    """Both angles are found at once, within a degree."""
    found = pose(yaw=yaw, pitch=pitch)
    assert found.yaw == pytest.approx(yaw, abs=1)
    assert found.pitch == pytest.approx(pitch, abs=1)


@MANY
@given(st.floats(-45, 45))
def test_a_tilted_head_is_tilted_and_nothing_else(roll):
    """An ear towards the shoulder is neither a turn nor a nod."""
    found = pose(roll=roll)
    assert found.roll == pytest.approx(roll, abs=1)
    assert found.yaw == pytest.approx(0, abs=1)
    assert found.pitch == pytest.approx(0, abs=1)


@MANY
@given(ANGLES, ANGLES, st.floats(-30, 30))
def test_a_tilted_camera_tilts_what_is_seen_and_where_it_looks(yaw, pitch, by):
    """The picture's own rotation is added to the tilt; the direction of the gaze turns with it, and keeps its length."""
    points = seen(HEAD, yaw=yaw, pitch=pitch)
    upright, tilted = fit_pose(points[:, :2]), fit_pose(turned_in_plane(points, by))
    assert (tilted.roll - upright.roll - by + 180) % 360 - 180 == pytest.approx(0, abs=1)
    across, down = upright.rotation[:2, 2]
    turn = np.radians(by)
    expected = (np.cos(turn) * across - np.sin(turn) * down, np.sin(turn) * across + np.cos(turn) * down)
    assert tilted.rotation[:2, 2] == pytest.approx(expected, abs=0.02)


def test_the_nose_moves_to_the_pictures_right_in_a_turn_to_the_left():
    """TURN_LEFT is a positive yaw in a picture that is not mirrored."""
    straight, turned = seen(HEAD), seen(HEAD, yaw=25)
    assert nose(turned)[0] > nose(straight)[0] + 10
    assert fit_pose(turned[:, :2]).yaw > 20
    moved = straight[:, :2].copy()
    moved[27:36, 0] += 8
    assert fit_pose(moved).yaw > 5, "whatever the head model: points of the nose further to the right"


def test_the_nose_moves_up_in_a_look_upward():
    """LOOK_UP is a positive pitch."""
    straight, up = seen(HEAD), seen(HEAD, pitch=25)
    assert nose(up)[1] < nose(straight)[1] - 10
    assert fit_pose(up[:, :2]).pitch > 20
    moved = straight[:, :2].copy()
    moved[27:36, 1] -= 8
    assert fit_pose(moved).pitch > 5


def test_a_head_that_tilts_clockwise_has_a_positive_roll():
    """The eye on the picture's right goes down."""
    tilted = seen(HEAD, roll=15)
    assert tilted[45, 1] > tilted[36, 1] + 10
    assert fit_pose(tilted[:, :2]).roll > 10


@MANY
@given(ANGLES, ANGLES, st.floats(10, 300), st.floats(-500, 2000), st.floats(-500, 2000))
def test_size_and_place_do_not_turn_a_head(yaw, pitch, scale, x, y):
    """Near or far, in the middle or at the edge, the angles are the same, and the scale is the size."""
    here, there = pose(yaw=yaw, pitch=pitch), pose(yaw=yaw, pitch=pitch, scale=scale, at=(x, y))
    assert (there.yaw, there.pitch, there.roll) == pytest.approx((here.yaw, here.pitch, here.roll), abs=0.5)
    assert there.scale / here.scale == pytest.approx(scale / 60, rel=0.01)


@MANY
@given(ANGLES, ANGLES, st.floats(-20, 20))
def test_a_mirror_swaps_left_and_right_and_nothing_else(yaw, pitch, roll):
    """In the mirrored picture the same head turns and tilts the other way, and nods the same."""
    points = seen(HEAD, yaw=yaw, pitch=pitch, roll=roll)
    plain, other = fit_pose(points[:, :2]), fit_pose(mirrored(points)[:, :2])
    assert (other.yaw, other.pitch, other.roll) == pytest.approx((-plain.yaw, plain.pitch, -plain.roll), abs=0.3)


@MANY
@given(ANGLES, st.floats(-25, 25), st.floats(0, 0.4), st.floats(0, 0.2), st.floats(0, 1))
def test_no_expression_turns_a_head(yaw, pitch, jaw, smile, lids):
    """Mouth and lids may do what they like: the points that are fitted stay on the skull."""
    acting = seen(head(jaw=jaw, smile=smile, lids=lids), yaw=yaw, pitch=pitch)
    still = seen(HEAD, yaw=yaw, pitch=pitch)
    one, other = fit_pose(acting[:, :2]), fit_pose(still[:, :2])
    assert (one.yaw, one.pitch, one.roll, one.scale) == (other.yaw, other.pitch, other.roll, other.scale)


def test_only_points_that_no_expression_moves_are_fitted():
    """Neither jaw, lids nor mouth is among them, and they are the same on both sides."""
    assert not set(RIGID) & ({*range(17), *range(48, 68)} | {37, 38, 40, 41, 43, 44, 46, 47})
    assert set(FLIP[RIGID]) == set(RIGID)


@MANY
@given(st.floats(-35, 35), st.floats(-25, 25))
def test_a_cameras_perspective_costs_a_few_degrees_at_most(yaw, pitch):
    """At an arm's length, some eight inter-ocular distances, weak perspective is nearly right, and never the wrong way."""
    found = pose(yaw=yaw, pitch=pitch, distance=8.0)
    straight = pose(distance=8.0)
    assert found.yaw == pytest.approx(yaw, abs=5)
    assert found.pitch - straight.pitch == pytest.approx(pitch, abs=5)


@MANY
@given(st.floats(-35, 35), st.floats(-20, 20), st.integers(0, 2**31))
def test_trembling_points_do_not_flip_a_head(yaw, pitch, seed):
    """There is one solution: points that are a hundredth off give angles that are a few degrees off."""
    points = seen(HEAD, yaw=yaw, pitch=pitch)[:, :2]
    found = fit_pose(points + np.random.default_rng(seed).normal(0, 0.6, points.shape))
    assert found.yaw == pytest.approx(yaw, abs=5)
    assert found.pitch == pytest.approx(pitch, abs=5)


def test_the_rotation_is_one():
    """Orthogonal and right-handed, so that it can be undone by its transpose."""
    rotation = pose(yaw=33, pitch=-12, roll=8).rotation
    assert rotation @ rotation.T == pytest.approx(np.eye(3), abs=1e-6)
    assert np.linalg.det(rotation) == pytest.approx(1)
