"""Measures how open the eyes are and where they look, by MediaPipe's iris model (`iris_landmark.tflite`, Apache-2.0).

The face mesh hardly moves its lids when an eye closes. The iris model is given each eye alone, and its lids do meet.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from workers.vision.gaze import gaze
from workers.vision.landmarks import Picture, Points, Region, as_picture, region_map
from workers.vision.network import Runtime, load_network

MODEL_FILE = "iris_landmark.tflite"

#: Side of the model's input in pixels.
_INPUT = 64
#: Side of the region around an eye, in eye widths (MediaPipe's own figure).
_REGION_SCALE = 2.3
#: Corners (outer, inner) of the person's right eye and (inner, outer) of the left one among the 68 points.
_RIGHT, _LEFT = (36, 39), (42, 45)
#: Indices among the 71 points of an eye's contour: the lower lid and the upper lid without the corners, and the corners.
_LOWER, _UPPER, _CORNERS = slice(1, 8), slice(9, 16), (0, 8)
_CONTOURS, _IRIS = "output_eyes_contours_and_brows", "output_iris"


@dataclass(frozen=True, slots=True)
class Eyes:
    """The measures of both eyes of one face."""

    #: Mean distance of the lids over the eye's width, of the person's left and right eye; near 0 for a closed eye.
    openness: tuple[float, float]
    #: Offset of the irises, in eye widths to the picture's right and down, see `workers.vision.gaze`.
    gaze: tuple[float, float]
    #: The pictures (_INPUT, _INPUT, 3) that were measured, upright, of the person's left eye (mirrored) and right eye.
    pictures: tuple[Picture, Picture]


class EyeContours:
    """The iris model. One object belongs to one thread."""

    def __init__(self, models: Path, runtime: Runtime | None = None) -> None:
        self._network = load_network(models / MODEL_FILE, (_CONTOURS, _IRIS), runtime=runtime)

    def look(self, picture: Picture, points: Points) -> Eyes:
        """Measure the eyes of the face with these 68 points (68, 2)."""
        right = _eye(picture, points[_RIGHT[0]], points[_RIGHT[1]])
        # The model was trained on right eyes: a left eye is mirrored.
        left = _eye(picture, points[_LEFT[0]], points[_LEFT[1]])[:, ::-1]
        contours, irises = self._network(left, right)
        contours = contours.reshape(2, -1, 3)[:, :, :2]
        lids = np.linalg.norm(contours[:, _LOWER] - contours[:, _UPPER], axis=2).mean(axis=1)
        widths = np.linalg.norm(contours[:, _CORNERS[0]] - contours[:, _CORNERS[1]], axis=1)
        openness = lids / np.maximum(widths, 1e-6)
        looking = gaze(contours, irises.reshape(2, -1, 3)[:, :, :2])
        return Eyes((float(openness[0]), float(openness[1])), looking, (left, right))


def _eye(picture: Picture, left: Points, right: Points) -> Picture:
    """The picture of one eye (_INPUT, _INPUT, 3), its corners level; left, right: its corners in the picture."""
    centre, across = (left + right) / 2, right - left
    width = max(1.0, float(np.hypot(*across)))
    region = Region(
        float(centre[0]), float(centre[1]), _REGION_SCALE * width, float(np.degrees(np.arctan2(across[1], across[0])))
    )
    to_square = region_map(region, _INPUT)
    # With an even number of pixels the centre lies between two: half a pixel keeps it there when the eye is mirrored.
    to_square[:, 2] -= 0.5
    return as_picture(cv2.warpAffine(picture, to_square, (_INPUT, _INPUT), borderMode=cv2.BORDER_REPLICATE))
