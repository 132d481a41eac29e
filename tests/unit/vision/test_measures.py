"""What eyes and mouth do, whichever way the head looks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.vision.heads import Array, head, landmarks, mirrored, seen
from workers.vision.face_model import fit_pose
from workers.vision.measures import Mouth, eye_openness, measure_mouth, seen_from_front

HEAD = head()
MANY = settings(max_examples=40, deadline=None)
#: Engines with depth (the mesh) and without (dlib).
SOLID = pytest.mark.parametrize("solid", [True, False], ids=["with depth", "flat"])
POSES = {"yaw": st.floats(-30, 30), "pitch": st.floats(-15, 25), "roll": st.floats(-20, 20)}


def mouth(points: Array, *, solid: bool) -> Mouth:
    return measure_mouth(seen_from_front(landmarks(points, solid=solid), fit_pose(points[:, :2].astype(np.float32))))


@SOLID
@MANY
@given(st.floats(0, 0.4), st.floats(0, 0.2), st.fixed_dictionaries(POSES), st.floats(20, 200))
def test_a_mouth_is_the_same_whichever_way_the_head_looks(solid, jaw, smile, how, scale):
    """Turning, nodding, tilting and coming nearer change none of its measures."""
    acting = head(jaw=jaw, smile=smile)
    front, turned = mouth(seen(acting), solid=solid), mouth(seen(acting, scale=scale, **how), solid=solid)
    assert turned.opening == pytest.approx(front.opening, abs=0.02)
    assert turned.width == pytest.approx(front.width, abs=0.02)
    assert turned.drop == pytest.approx(front.drop, abs=0.02)


@SOLID
@MANY
@given(st.floats(0.05, 0.5))
def test_a_dropped_jaw_opens_the_mouth_by_as_much(solid, jaw):
    """The opening is in inter-ocular distances, and the corners stay where they are."""
    closed, opened = (mouth(seen(head(jaw=j), pitch=10), solid=solid) for j in (0, jaw))
    assert opened.opening - closed.opening == pytest.approx(jaw, abs=0.01)
    assert (opened.width, opened.drop) == pytest.approx((closed.width, closed.drop), abs=0.01)


@SOLID
@MANY
@given(st.floats(0.02, 0.2))
def test_a_smile_widens_the_mouth_and_lifts_its_corners(solid, smile):
    """Each corner goes out and up; the lips stay closed."""
    plain, smiling = (mouth(seen(head(smile=s), yaw=-8), solid=solid) for s in (0, smile))
    assert smiling.width - plain.width == pytest.approx(2 * smile, abs=0.01)
    assert smiling.drop - plain.drop == pytest.approx(-smile, abs=0.01)
    assert smiling.opening == pytest.approx(plain.opening, abs=0.01)


@SOLID
def test_a_mouths_measures_are_in_inter_ocular_distances(solid):
    """Of the head in this test they are known."""
    plain = mouth(seen(HEAD, yaw=12, pitch=8), solid=solid)
    assert plain.width == pytest.approx(0.88, abs=0.01)
    assert plain.drop == pytest.approx(0.72 - 0.535, abs=0.01)
    assert plain.opening == pytest.approx(0.03, abs=0.01)


def openness(points: Array) -> tuple[float, float]:
    return eye_openness(points[:, :2].astype(np.float32))


@MANY
@given(st.floats(10, 300), st.floats(-40, 40), st.floats(0, 500))
def test_size_place_and_tilt_leave_eyes_as_open_as_they_are(scale, roll, x):
    """The ratio of a lid's height to its width does not change with them."""
    assert openness(seen(HEAD, scale=scale, roll=roll, at=(x, 9))) == pytest.approx(openness(seen(HEAD)), abs=1e-3)


@MANY
@given(st.floats(0, 1))
def test_eyes_close_in_proportion_to_their_lids(lids):
    """Half way down is half as open."""
    assert openness(seen(head(lids=lids))) == pytest.approx([(1 - lids) * v for v in openness(seen(HEAD))], abs=0.002)


def test_left_and_right_are_the_persons_own():
    """The person's left eye is on the picture's right, and in a mirror on its left."""
    winking = seen(HEAD)
    winking[[43, 44], 1] = winking[[47, 46], 1]
    left, right = openness(winking)
    assert left < 0.02
    assert right > 0.2
    assert openness(mirrored(winking)) == pytest.approx((right, left))


def test_an_eye_without_width_is_no_division_by_nothing():
    """Points of an engine gone wrong give a number, not an error."""
    assert all(np.isfinite(openness(np.zeros((68, 3)))))
