"""What one frame says about itself."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from shared.liveness.framing import Framing, framing
from shared.liveness.observation import Face, Observation, Problem
from tests.unit.liveness.people import observe, without_face

TURNED = observe(yaw=21.0, pitch=9.0, roll=4.0, left_eye=0.1, right_eye=0.3).face


def test_a_mirrored_face_has_left_and_right_swapped_and_nothing_else():
    """What goes up stays up, and what is open stays open, on the other side."""
    other = TURNED.mirrored()
    assert (other.yaw, other.roll, other.left_eye, other.right_eye) == (-21.0, -4.0, 0.3, 0.1)
    swapped = {"yaw", "roll", "left_eye", "right_eye"}
    same = [f.name for f in fields(Face) if f.name not in swapped]
    assert all(getattr(other, name) == getattr(TURNED, name) for name in same)


def test_a_mirror_in_a_mirror_shows_the_face_again():
    """Twice mirrored is not mirrored."""
    assert TURNED.mirrored().mirrored() == TURNED


def test_one_face_without_a_problem_is_usable():
    """Such frames are judged."""
    assert observe().usable


@pytest.mark.parametrize("problem", Problem)
def test_no_frame_with_a_problem_is_usable(problem):
    """A face that is seen, but badly, is not judged."""
    assert not observe(problem=problem).usable


def test_no_frame_without_a_face_is_usable():
    """Neither is one that says nothing about why."""
    assert not without_face().usable
    assert not observe(face=None).usable


def test_a_face_s_place_is_told_in_parts_of_the_picture_upright_or_not():
    """Its box is measured in the longer side, whichever that is."""
    face = replace(observe().face, box=(0.35, 0.225, 0.3, 0.3))
    lying = framing(Observation(faces=1, face=face, width=640, height=480))
    assert lying == Framing(x=0.5, y=0.5, width=0.3, height=0.4)
    face = replace(face, box=(0.225, 0.35, 0.3, 0.3))
    assert framing(Observation(faces=1, face=face, width=480, height=640)) == Framing(0.5, 0.5, 0.4, 0.3)


def test_without_exactly_one_face_there_is_no_place():
    """Nor without a picture."""
    assert framing(without_face()) is None
    assert framing(replace(observe(), width=0, height=0)) is None
