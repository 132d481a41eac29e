"""A mean face in three dimensions, and the pose of a head that is fitted to it.

Only points that do not move with expression are used: with the mouth's points a smile would be measured as a tilt.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.vision.landmarks import Points

#: Indices of the 68 points that keep their place on the skull: brows' ends, bridge and base of the nose, eyes' corners.
RIGID = np.array([17, 21, 22, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 39, 42, 45])

#: Positions of the rigid points on an upright mean face, in inter-ocular distances: x to the picture's right, y down, z away
#: from the camera. The Procrustes mean of the mesh's 3-D output over many people, made symmetric.
# fmt: off
_RIGID_MEAN = np.array([
    (-0.887, -0.507, 0.153), (-0.231, -0.503, -0.237), (0.231, -0.503, -0.237), (0.887, -0.507, 0.153),
    (0.0, -0.241, -0.138), (0.0, 0.033, -0.205), (0.0, 0.288, -0.304), (0.0, 0.427, -0.299),
    (-0.275, 0.463, 0.138), (-0.122, 0.525, 0.054), (0.0, 0.535, 0.029), (0.122, 0.525, 0.054), (0.275, 0.463, 0.138),
    (-0.707, -0.274, 0.214), (-0.272, -0.226, 0.138), (0.272, -0.226, 0.138), (0.707, -0.274, 0.214),
])
# fmt: on
_MODEL = _RIGID_MEAN - _RIGID_MEAN.mean(axis=0)
_PSEUDO_INVERSE = np.linalg.pinv(_MODEL)


@dataclass(frozen=True, slots=True)
class Pose:
    """The pose of a head in front of the camera."""

    #: Degrees: yaw positive to the person's own left, pitch positive upward, roll positive clockwise in the picture.
    yaw: float
    pitch: float
    roll: float
    #: Pixels of one inter-ocular distance if it were seen from the front.
    scale: float
    #: Ratio of the fit's smaller to its larger singular value: 1 for a head of mean proportions under weak perspective.
    evenness: float
    #: Rotation (3, 3) from the face's axes to the camera's.
    rotation: NDArray[np.float64]


def fit_pose(points: Points) -> Pose:
    """Fit the pose of a face to its 68 points (68, 2; pixels) under weak perspective.

    The least-squares affine map from the mean face to the points is turned into the nearest scaled rotation by its singular
    value decomposition (orthogonal Procrustes problem; camera model of DeMenthon & Davis, "Model-Based Object Pose in 25
    Lines of Code", 1995). Unlike a perspective fit to six points, this has a single solution.
    """
    rigid = points[RIGID].astype(np.float64)
    affine = (_PSEUDO_INVERSE @ (rigid - rigid.mean(axis=0))).T
    u, s, vt = np.linalg.svd(affine, full_matrices=False)
    x_axis, y_axis = u @ vt
    rotation = np.stack([x_axis, y_axis, np.cross(x_axis, y_axis)])
    forward, right = -rotation[:, 2], rotation[:, 0]
    return Pose(
        yaw=math.degrees(math.atan2(forward[0], -forward[2])),
        pitch=math.degrees(math.asin(max(-1.0, min(1.0, -forward[1])))),
        roll=math.degrees(math.atan2(right[1], right[0])),
        scale=float(s.mean()),
        evenness=float(s[1] / s[0]),
        rotation=rotation,
    )
