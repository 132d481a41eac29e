"""What a landmark engine gives, and the interface that every engine has."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import cv2
import cv2.typing
import numpy as np
from numpy.typing import NDArray

#: A colour picture: height, width, 3 (blue, green, red), 8 bits.
Picture = NDArray[np.uint8]
#: Points: n, 2 (x to the right, y down; pixels) or n, 3 (z away from the camera, in the same unit).
Points = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Region:
    """A square part of a picture that holds a face: centre and side in pixels, turned clockwise by `angle` degrees."""

    x: float
    y: float
    side: float
    angle: float = 0.0


def region_map(region: Region, side: int) -> NDArray[np.float32]:
    """The affine map (2, 3) from a picture to an upright square of `side` pixels that shows `region`."""
    scale = side / region.side
    turn = math.radians(region.angle)
    c, s = scale * math.cos(turn), scale * math.sin(turn)
    return np.array(
        [
            [c, s, side / 2 - c * region.x - s * region.y],
            [-s, c, side / 2 + s * region.x - c * region.y],
        ],
        dtype=np.float32,
    )


@dataclass(frozen=True, slots=True)
class Landmarks:
    """The points of one face."""

    #: 68, 2: the order of iBUG 300-W, whatever the engine: jaw, brows, nose, eyes, mouth.
    points: Points
    #: Where to look for this face in the next frame.
    region: Region
    #: 0 to 1: how surely these points lie on a face.
    sureness: float
    #: 68, 3: the same points with depth, from engines that estimate it.
    solid: Points | None = None


def as_picture(pixels: cv2.typing.MatLike) -> Picture:
    """OpenCV's pixels under the type that they have: its stubs know numbers of any kind only."""
    return np.asarray(pixels, dtype=np.uint8)


class LandmarkEngine(Protocol):
    """Finds the points of a face in a region. One object belongs to one thread."""

    #: Below this sureness the points are not to be believed.
    least_sureness: float
    #: Side of the region to hand to it around a face that was just found, in sides of the finder's box.
    region_scale: float

    def locate(self, picture: Picture, region: Region) -> Landmarks:
        """The points of the face in `region`; their `sureness` says whether there is one."""
