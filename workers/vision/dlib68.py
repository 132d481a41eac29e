"""Landmarks by dlib's 68-point shape predictor.

Its model was trained on iBUG 300-W, whose licence excludes commercial use: see NOTICE.
"""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import dlib
import numpy as np

from workers.vision.landmarks import Landmarks, Picture, Points, Region, region_map

MODEL_FILE = "shape_predictor_68_face_landmarks.dat"

#: Side in pixels of the upright square that a region is cut out as.
_SQUARE = 200
#: Side of the region to search, in sides of dlib's face box.
REGION_SCALE = 1.8
#: Position of dlib's face box relative to the points: its centre as a share of the way from between the eyes to the mouth,
#: and its side in lengths of that way. Medians over frames in which the detector found the face.
_BOX_CENTRE, _BOX_SIDE = 0.44, 2.12
#: Sureness of points for which the detector found the box, and of points for which the frame before gave it.
_SEEN, _CARRIED = 0.95, 0.5
_EYES, _MOUTH = slice(36, 48), slice(48, 60)


class Dlib68:
    """dlib's shape predictor as a landmark engine.

    The predictor finds a face's points in any picture, and how well they fit a face does not tell faces from walls. So the
    sureness depends on the detector alone: without a detected box it equals `least_sureness`, and the caller must stop
    following such a face after a while.
    """

    least_sureness = 0.5
    region_scale = REGION_SCALE

    def __init__(self, models: Path) -> None:
        self._predictor = dlib.shape_predictor(str(models / MODEL_FILE))
        self._detector = dlib.get_frontal_face_detector()

    def locate(self, picture: Picture, region: Region) -> Landmarks:
        """Find the points of the face in `region`, see `LandmarkEngine.locate`."""
        to_square = region_map(region, _SQUARE)
        square = cv2.warpAffine(
            cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), to_square, (_SQUARE, _SQUARE), borderMode=cv2.BORDER_REPLICATE
        )
        boxes = self._detector(square, 0)
        half = _SQUARE / REGION_SCALE / 2
        box = (
            max(boxes, key=lambda b: b.area())
            if boxes
            else dlib.rectangle(*(round(_SQUARE / 2 + sign * half) for sign in (-1, -1, 1, 1)))
        )
        shape = self._predictor(square, box)
        points = np.array([(shape.part(i).x, shape.part(i).y) for i in range(68)], dtype=np.float32)
        back = cv2.invertAffineTransform(to_square)
        points = (points @ back[:, :2].T + back[:, 2]).astype(np.float32)
        return Landmarks(points, _region_around(points), _SEEN if boxes else _CARRIED)


def _region_around(points: Points) -> Region:
    """The region to search in the next frame, from the points (68, 2) in this one."""
    eyes, mouth = points[_EYES].mean(axis=0), points[_MOUTH].mean(axis=0)
    down = mouth - eyes
    length = float(np.hypot(*down))
    centre = eyes + _BOX_CENTRE * down
    right, left = points[36:42].mean(axis=0), points[42:48].mean(axis=0)
    angle = math.degrees(math.atan2(left[1] - right[1], left[0] - right[0]))
    return Region(float(centre[0]), float(centre[1]), max(1.0, REGION_SCALE * _BOX_SIDE * length), angle)
