"""One photo of a face as a puppet, turned in depth by its mesh: each picture is the photo's own texture, moved.

All maps are inverse: for each pixel of the new picture they say where in the old one it comes from.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import cv2.typing
import numpy as np
from numpy.typing import NDArray

from ops.lab.evaluate.attacks.features import CORNERS_OF_EYES, Expression, Features, smooth
from ops.lab.evaluate.attacks.prints import Pose, rotation
from workers.vision.landmarks import Picture, Points, as_picture

#: Pixels between the nodes of the grid that a turn is computed on.
_MESH = 8
#: Steps of the fixed-point search for the inverse of a turn, and the share of each that is taken: folds do not converge.
_STEPS, _SHARE = 10, 0.7
#: How far a vertex's depth spreads, in inter-ocular distances: as far as vertices are apart.
_SPREAD = 0.16
#: The camera's distance, in inter-ocular distances: a webcam's at arm's length.
_DISTANCE = 9.0
#: Half axes of the head with its hair, and its middle below the eyes, in inter-ocular distances.
_HEAD, _BELOW = (1.45, 1.95), 0.35
#: How far behind the ears the head turns, in inter-ocular distances.
_BEHIND = 0.3
#: Of the 468 vertices: those at the ears.
_EARS = (234, 454)


@dataclass(frozen=True, slots=True)
class Build:
    """How a puppet is made."""

    #: Half axes of the head over which its movement fades into what stands still.
    falloff: float
    #: Whether everything in the picture moves along with the head.
    whole: bool
    #: Blue, green, red of the mouth's inside.
    inside: tuple[float, float, float]


class Puppet:
    """One photo with the vertices of its face (468, 3)."""

    def __init__(self, photo: Picture, vertices: Points, build: Build) -> None:
        self.photo, self._vertices = photo, vertices.astype(np.float64)
        self._features = Features(photo, self._vertices, build.inside)
        right, left = (self._vertices[list(corners), :2].mean(axis=0) for corners in CORNERS_OF_EYES)
        self._eyes, self._unit = (right + left) / 2, max(1.0, float(np.hypot(*(left - right))))
        height, width = photo.shape[:2]
        down, across = np.mgrid[0 : height // _MESH + 2, 0 : width // _MESH + 2].astype(np.float64) * _MESH
        self._nodes = np.stack([across, down], axis=-1)
        y, x = np.mgrid[0:height, 0:width].astype(np.float32) / _MESH
        self._pixels = np.stack([x, y], axis=-1)
        self._weights = np.ones(across.shape) if build.whole else self._head(build.falloff)
        ears = self._vertices[list(_EARS)].mean(axis=0)
        depth = self._depths() - ears[2] - _BEHIND * self._unit
        #: The nodes in inter-ocular distances from the point that the head turns about.
        self._solid = np.concatenate([self._nodes - ears[:2], depth[..., None]], axis=-1) / self._unit

    @property
    def width_of_eyes(self) -> float:
        """The width over both eyes, from outer corner to outer corner, in the photo's pixels."""
        right, left = self._vertices[[CORNERS_OF_EYES[0][0], CORNERS_OF_EYES[1][1]], :2]
        return float(np.hypot(*(left - right)))

    def show(self, pose: Pose, expression: Expression) -> Picture:
        """The picture with the head moved by `pose` (its `bend` does not count) and with this expression."""
        picture = self._features.show(expression)
        came = self._inverse(self._moves(pose)).astype(np.float32)
        full = _gathered(came, self._pixels, cv2.INTER_LINEAR)
        return as_picture(_gathered(picture, full, cv2.INTER_CUBIC))

    def _moves(self, pose: Pose) -> NDArray[np.float64]:
        """How far each node goes, in pixels."""
        turned = self._solid @ rotation(pose).T
        nearer = pose.scale * (_DISTANCE + self._solid[..., 2:]) / (_DISTANCE + turned[..., 2:])
        height, width = self.photo.shape[:2]
        moves = (turned[..., :2] * nearer - self._solid[..., :2]) * self._unit
        return np.asarray((moves + np.array([pose.dx * width, pose.dy * height])) * self._weights[..., None])

    def _inverse(self, moves: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where what is at each node came from."""
        moves = moves.astype(np.float32)
        came = self._nodes.copy()
        for _ in range(_STEPS):
            there = _gathered(moves, (came / _MESH).astype(np.float32), cv2.INTER_LINEAR)
            came += _SHARE * (self._nodes - there - came)
        return came

    def _depths(self) -> NDArray[np.float64]:
        """Depth of what is at each node: the face's, and beside it that of its rim."""
        nodes = self._nodes.reshape(-1, 2)
        apart = ((nodes[:, None] - self._vertices[None, :, :2]) ** 2).sum(axis=2) / (_SPREAD * self._unit) ** 2
        near = np.exp(-0.5 * (apart - apart.min(axis=1, keepdims=True)))
        return np.asarray((near @ self._vertices[:, 2] / near.sum(axis=1)).reshape(self._nodes.shape[:2]))

    def _head(self, falloff: float) -> NDArray[np.float64]:
        """1 on the head and its hair, 0 on what stands still."""
        across, down = ((self._nodes - self._eyes) / self._unit).transpose(2, 0, 1)
        away = np.hypot(across / _HEAD[0], (down - _BELOW) / _HEAD[1])
        return np.asarray(1 - smooth((away - 1) / falloff), np.float64)


def _gathered(source: cv2.typing.MatLike, places: cv2.typing.MatLike, flags: int) -> cv2.typing.MatLike:
    """What `source` shows at the places (rows, columns, 2)."""
    return cv2.remap(source, places[..., 0], places[..., 1], flags, borderMode=cv2.BORDER_REPLICATE)
