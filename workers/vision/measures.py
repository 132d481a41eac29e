"""Measures of mouth and eyes in relative units: the mouth as seen from the front, the eyes by their aspect ratio."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.vision.face_model import Pose
from workers.vision.landmarks import Landmarks, Points

#: Depth of the 68 points of the mean face of `face_model`, in inter-ocular distances, for engines that estimate none.
# fmt: off
_MEAN_DEPTH = np.array([
    0.97, 1.108, 1.187, 1.225, 1.222, 1.14, 0.94, 0.785, 0.712, 0.785, 0.94, 1.14, 1.222, 1.225, 1.187, 1.108, 0.97,
    0.153, 0.003, -0.114, -0.201, -0.237, -0.237, -0.201, -0.114, 0.003, 0.153,
    -0.138, -0.205, -0.304, -0.299, 0.138, 0.054, 0.029, 0.054, 0.138,
    0.214, 0.097, 0.067, 0.138, 0.12, 0.146, 0.138, 0.067, 0.097, 0.214, 0.146, 0.12,
    0.453, 0.179, 0.112, 0.104, 0.112, 0.179, 0.453, 0.343, 0.313, 0.308, 0.313, 0.343,
    0.425, 0.267, 0.218, 0.267, 0.425, 0.318, 0.276, 0.318,
])
# fmt: on

_RIGHT_EYE, _LEFT_EYE = np.arange(36, 42), np.arange(42, 48)
_NOSE_BASE = 33
_MOUTH_CORNERS = np.array([48, 54])
_INNER_UPPER, _INNER_LOWER = np.array([61, 62, 63]), np.array([67, 66, 65])


@dataclass(frozen=True, slots=True)
class Mouth:
    """The measures of a mouth seen from the front, in inter-ocular distances."""

    #: Distance of the inner lips.
    opening: float
    #: Distance of the corners.
    width: float
    #: Distance of the corners below the nose's base; a smile lifts them.
    drop: float


def seen_from_front(landmarks: Landmarks, pose: Pose) -> NDArray[np.float64]:
    """The 68 points (68, 2) as they would be seen from the front, in inter-ocular distances from an arbitrary origin."""
    if landmarks.solid is not None:
        return (landmarks.solid.astype(np.float64) @ pose.rotation)[:, :2] / pose.scale
    # Weak perspective: p = R · (x, y, z). With the mean face's z, x and y solve a system of two equations.
    upper = pose.rotation[:2]
    flat = landmarks.points / pose.scale - np.outer(_MEAN_DEPTH, upper[:, 2])
    return flat @ np.linalg.pinv(upper[:, :2]).T


def measure_mouth(front: NDArray[np.float64]) -> Mouth:
    """Measure the mouth from the 68 points that `seen_from_front` gave (68, 2)."""
    corners = front[_MOUTH_CORNERS]
    return Mouth(
        opening=float((front[_INNER_LOWER, 1] - front[_INNER_UPPER, 1]).mean()),
        width=float(np.linalg.norm(corners[1] - corners[0])),
        drop=float(corners[:, 1].mean() - front[_NOSE_BASE, 1]),
    )


def eye_openness(points: Points) -> tuple[float, float]:
    """Openness of the person's left and right eye from the 68 points (68, 2): the lids' distance over the eye's width.

    This is the eye aspect ratio of Soukupová & Čech, "Real-Time Eye Blink Detection using Facial Landmarks" (2016).
    """
    return _aspect_ratio(points[_LEFT_EYE]), _aspect_ratio(points[_RIGHT_EYE])


def _aspect_ratio(eye: Points) -> float:
    lids = float(np.linalg.norm(eye[1] - eye[5]) + np.linalg.norm(eye[2] - eye[4]))
    return lids / (2 * max(1e-6, float(np.linalg.norm(eye[0] - eye[3]))))
