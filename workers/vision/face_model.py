"""A mean face in three dimensions, and the head's pose from it.

Only points that do not move with expression are fitted: a fit that holds the mouth turns a smile into a tilt.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.vision.landmarks import Points

#: Of the 68 points those that keep their place on the skull: the brows' ends, the nose's bridge and base, the eyes' corners.
RIGID = np.array([17, 21, 22, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 39, 42, 45])

#: Where the rigid points are on a mean face, in inter-ocular distances: x to the picture's right, y down, z away from the
#: camera; the eyes' and the nose's bases stand upright. Procrustes mean of the mesh's own three-dimensional output over
#: 16 people and 2,500 frames, made symmetric.
# fmt: off
_RIGID_MEAN = np.array([
    (-0.887, -0.507, 0.153), (-0.231, -0.503, -0.237), (0.231, -0.503, -0.237), (0.887, -0.507, 0.153),
    (0.0, -0.241, -0.138), (0.0, 0.033, -0.205), (0.0, 0.288, -0.304), (0.0, 0.427, -0.299),
    (-0.275, 0.463, 0.138), (-0.122, 0.525, 0.054), (0.0, 0.535, 0.029), (0.122, 0.525, 0.054), (0.275, 0.463, 0.138),
    (-0.707, -0.274, 0.214), (-0.272, -0.226, 0.138), (0.272, -0.226, 0.138), (0.707, -0.274, 0.214),
])
# fmt: on
_MODEL = _RIGID_MEAN - _RIGID_MEAN.mean(axis=0)
_SOLVE = np.linalg.pinv(_MODEL)


@dataclass(frozen=True, slots=True)
class Pose:
    """How a head stands before the camera."""

    #: Degrees; positive to the person's own left, upward, and clockwise in the picture.
    yaw: float
    pitch: float
    roll: float
    #: Pixels of one inter-ocular distance, seen from the front.
    scale: float
    #: The smaller over the larger stretch of the fit: 1 for a head of mean proportions seen by weak perspective.
    evenness: float
    #: 3, 3: from the face's own axes to the camera's.
    rotation: NDArray[np.float64]


def fit_pose(points: Points) -> Pose:
    """The pose of a face from its 68 points (68, 2), under weak perspective.

    The best affine map from the mean face to the points is made a scaled rotation by its singular values (the orthogonal
    Procrustes problem; DeMenthon & Davis 1995 for the camera model). Unlike a perspective fit of six points it has one
    solution.
    """
    rigid = points[RIGID].astype(np.float64)
    affine = (_SOLVE @ (rigid - rigid.mean(axis=0))).T
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
