"""The interface of landmark engines, which find the points of a face, and the types that they share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import cv2
import cv2.typing
import numpy as np
from numpy.typing import NDArray

#: A colour picture (height, width, 3): blue, green and red, 8 bits each.
Picture = NDArray[np.uint8]
#: Points (n, 2): x to the right and y down, in pixels; or (n, 3), with z away from the camera in the same unit.
Points = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Region:
    """A square part of a picture around a face: centre and side in pixels, turned clockwise by `angle` degrees."""

    x: float
    y: float
    side: float
    angle: float = 0.0


def region_map(region: Region, side: int) -> NDArray[np.float32]:
    """The affine map (2, 3) from a picture's pixels to those of an upright square of `side` pixels that shows `region`."""
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
    """The points of one face, as an engine found them."""

    #: The 68 points (68, 2) in the order of iBUG 300-W, whatever the engine: jaw, brows, nose, eyes, mouth.
    points: Points
    #: Where to search for this face in the next frame.
    region: Region
    #: How surely these points lie on a face, 0 to 1.
    sureness: float
    #: The same points with depth (68, 3); None if the engine does not estimate it.
    solid: Points | None = None


def as_picture(pixels: cv2.typing.MatLike) -> Picture:
    """OpenCV's result as a `Picture`; its type stubs do not say that the pixels have 8 bits."""
    return np.asarray(pixels, dtype=np.uint8)


class LandmarkEngine(Protocol):
    """A landmark engine: finds the points of the face in a region. One object belongs to one thread."""

    #: Sureness, 0 to 1, below which the points are not used.
    least_sureness: float
    #: Side of the region to search around a face that a finder has detected, in sides of the finder's box.
    region_scale: float

    def locate(self, picture: Picture, region: Region) -> Landmarks:
        """The points of the face in `region`; a low `sureness` means that there is no face."""
