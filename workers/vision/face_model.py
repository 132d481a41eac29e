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
#: Of the centred mean face: a shift of the points falls out.
_PSEUDO_INVERSE = np.linalg.pinv(_RIGID_MEAN - _RIGID_MEAN.mean(axis=0))
#: Lower bound of an area in pixels, for points that all lie on one line.
_LEAST_AREA = 1e-9


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

    The least-squares affine map from the mean face to the points is turned into the nearest scaled rotation, the orthogonal
    part of its polar decomposition (orthogonal Procrustes problem; camera model of DeMenthon & Davis, "Model-Based Object
    Pose in 25 Lines of Code", 1995). Unlike a perspective fit to six points, this has a single solution.
    """
    (ax, bx), (ay, by), (az, bz) = (_PSEUDO_INVERSE @ points[RIGID].astype(np.float64)).tolist()
    # The rotation's first rows are (A·Aᵀ)^-½·A, where A has the rows a and b: in closed form, as A·Aᵀ is 2 by 2.
    aa, ab, bb = ax * ax + ay * ay + az * az, ax * bx + ay * by + az * bz, bx * bx + by * by + bz * bz
    area = max(_LEAST_AREA, math.sqrt(max(0.0, aa * bb - ab * ab)))
    # Sum and difference of the two singular values, whose product is the area.
    both, apart = math.sqrt(aa + bb + 2 * area), math.sqrt(max(0.0, aa + bb - 2 * area))
    p, q, r = ((value / (area * both)) for value in (bb + area, -ab, aa + area))
    x1, x2, x3 = p * ax + q * bx, p * ay + q * by, p * az + q * bz
    y1, y2, y3 = q * ax + r * bx, q * ay + r * by, q * az + r * bz
    z1, z2, z3 = x2 * y3 - x3 * y2, x3 * y1 - x1 * y3, x1 * y2 - x2 * y1
    return Pose(
        yaw=math.degrees(math.atan2(-x3, z3)),
        pitch=math.degrees(math.asin(max(-1.0, min(1.0, y3)))),
        roll=math.degrees(math.atan2(y1, x1)),
        scale=both / 2,
        evenness=(both - apart) / (both + apart),
        rotation=np.array([(x1, x2, x3), (y1, y2, y3), (z1, z2, z3)]),
    )
