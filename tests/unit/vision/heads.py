"""A head in three dimensions that can be turned before a made-up camera, and points as an engine would see them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workers.vision.face_model import _RIGID_MEAN, RIGID
from workers.vision.landmarks import Landmarks, Region
from workers.vision.measures import _MEAN_DEPTH

Array = NDArray[np.float64]

#: Seen from the front, in inter-ocular distances: the points that are neither the vision's own mean nor its mirror image.
# fmt: off
_RIGHT_HALF = {
    0: (-1.07, -0.44), 1: (-1.06, -0.27), 2: (-1.04, -0.07), 3: (-1.0, 0.15), 4: (-0.93, 0.39), 5: (-0.84, 0.62),
    6: (-0.58, 0.95), 7: (-0.33, 1.17), 8: (0.0, 1.27), 18: (-0.81, -0.55), 19: (-0.66, -0.56), 20: (-0.47, -0.53),
    37: (-0.6, -0.31), 38: (-0.43, -0.3), 40: (-0.43, -0.18), 41: (-0.6, -0.19),
    48: (-0.44, 0.72), 49: (-0.26, 0.71), 50: (-0.13, 0.7), 51: (0.0, 0.71), 57: (0.0, 0.92), 58: (-0.13, 0.91),
    59: (-0.24, 0.86), 60: (-0.39, 0.73), 61: (-0.19, 0.75), 62: (0.0, 0.76), 66: (0.0, 0.79), 67: (-0.2, 0.78),
}
#: Each point's place in a mirror.
FLIP = np.array([
    *range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, *range(35, 30, -1),
    45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
    *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), 67, 66, 65,
])
# fmt: on
_UPPER_LIDS, _LOWER_LIDS = np.array([37, 38, 43, 44]), np.array([41, 40, 47, 46])
_MOUTH_CORNERS = np.array([48, 54, 60, 64])
_LOWER_LIP = np.array([55, 56, 57, 58, 59, 65, 66, 67])


def head(*, lids: float = 0.0, jaw: float = 0.0, smile: float = 0.0) -> Array:
    """68 points (68, 3) seen from the front: x to the picture's right, y down, z away; inter-ocular distances.

    lids: the share by which both eyes are closed. jaw, smile: how far the lower lip goes down, and each corner out and up.
    """
    points = np.zeros((68, 3))
    for i, (x, y) in _RIGHT_HALF.items():
        points[i, :2] = x, y
        points[FLIP[i], :2] = -x, y
    points[:, 2] = _MEAN_DEPTH
    points[RIGID] = _RIGID_MEAN
    points[_UPPER_LIDS] += lids * (points[_LOWER_LIDS] - points[_UPPER_LIDS]) * (0, 1, 0)
    points[_LOWER_LIP, 1] += jaw
    points[_MOUTH_CORNERS] += np.outer(np.sign(points[_MOUTH_CORNERS, 0]), (smile, 0, 0)) - (0, smile, 0)
    return points


def rotation(yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> Array:
    """The rotation (3, 3) from the head's axes to the camera's, with the signs of `Pose`: tilted, nodded, then turned."""
    y, p, r = np.radians([yaw, pitch, roll])
    turn = np.array([[np.cos(y), 0, -np.sin(y)], [0, 1, 0], [np.sin(y), 0, np.cos(y)]])
    nod = np.array([[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]])
    tilt = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return np.asarray(turn @ nod @ tilt)


def seen(
    solid: Array,
    *,
    yaw: float = 0.0,
    pitch: float = 0.0,
    roll: float = 0.0,
    scale: float = 60.0,
    at: tuple[float, float] = (320.0, 240.0),
    distance: float = np.inf,
) -> Array:
    """The head in the picture (68, 3), in pixels, depth included; distance: the camera's, in inter-ocular distances."""
    turned = solid @ rotation(yaw, pitch, roll).T
    nearer = 1 / (1 + turned[:, 2:] / distance)
    return np.asarray(np.column_stack([turned[:, :2] * nearer, turned[:, 2]]) * scale + (*at, 0))


def turned_in_plane(points: Array, degrees: float, about: tuple[float, float] = (320.0, 240.0)) -> Array:
    """Points (n, 2) of the picture turned clockwise, as a camera held at a tilt would show them."""
    turn = rotation(roll=degrees)[:2, :2]
    return np.asarray((points[:, :2] - about) @ turn.T + about)


def mirrored(points: Array, width: float = 640.0) -> Array:
    """Points (68, n) as an engine would find them in the mirrored picture."""
    flipped = points[FLIP].copy()
    flipped[:, 0] = width - flipped[:, 0]
    return flipped


def landmarks(points: Array, *, solid: bool) -> Landmarks:
    """As an engine hands them on; solid: with depth (the mesh) or without (dlib)."""
    return Landmarks(
        points[:, :2].astype(np.float32), Region(0, 0, 1), 1.0, points.astype(np.float32) if solid else None
    )
