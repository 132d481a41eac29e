"""Straight edges around a face: the rim of a screen, or of a print, that is held before the camera.

Behind a person there are edges too, of doors and pictures; but they end at the shoulders, and seldom enclose the face on
three sides.
"""

from __future__ import annotations

import cv2
import cv2.typing
import numpy as np
from numpy.typing import NDArray

from workers.vision.landmarks import Picture

#: Longer side in pixels of the small picture that is looked at.
_SIDE = 200
#: Degrees by which an edge may lean, and the steps in which leaning is tried.
_LEAN = np.arange(-8.0, 8.1, 2.0)
#: Grey levels a pixel that an edge rises by.
_STEP = 6.0
#: An edge is looked for beside the face from this far to that far off, in widths of the face.
_NEAR, _FAR = 0.08, 1.6
#: It must run from this far above (or before) the face to this far below (behind) its upper end, in its heights.
_FROM, _TO = 0.6, 1.9
#: The shortest band in which an edge can be told from chance, in pixels.
_LEAST = 16


def rim(picture: Picture, box: tuple[float, float, float, float]) -> float:
    """How surely straight edges enclose a face on three sides, 0 to 1.

    For each side the share of an edge's way along the face that is there without a gap; of the four sides the third best.
    box: left, top, width, height in fractions of the picture's longer side. Measured: people 0.1 to 0.61, whole screens
    before the camera from 0.74 on.
    """
    scale = _SIDE / max(picture.shape[:2])
    grey = cv2.cvtColor(
        cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY
    ).astype(np.float32)
    smooth = cv2.GaussianBlur(grey, (3, 3), 0)
    x, y, width, height = (side * _SIDE for side in box)
    upright = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3) / 4
    level = np.ascontiguousarray((cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3) / 4).T)
    sides = [*_both_sides(upright, x, width, y, height), *_both_sides(level, y, height, x, width)]
    return float(sorted(sides)[1])


def _both_sides(
    gradient: cv2.typing.MatLike, across: float, width: float, along: float, height: float
) -> tuple[float, float]:
    """The best edge before and behind the face. `gradient` rises across the edges, which run along its rows."""
    rows, columns = gradient.shape
    first, last = int(max(0, along - _FROM * height)), int(min(rows, along + _TO * height))
    if last - first < _LEAST:
        return 0.0, 0.0
    band = gradient[first:last]
    before = slice(int(max(2, across - _FAR * width)), int(max(0, across - _NEAR * width)))
    behind = slice(int(across + (1 + _NEAR) * width), int(min(columns - 2, across + (1 + _FAR) * width)))
    best = [0.0, 0.0]
    for lean in np.tan(np.radians(_LEAN)):
        shear = np.array([[1, lean, -lean * len(band) / 2], [0, 1, 0]], np.float32)
        straight = cv2.warpAffine(band, shear, (columns, len(band)), flags=cv2.INTER_LINEAR)
        share = np.maximum(_above(straight), _above(-straight))
        for i, place in enumerate((before, behind)):
            if place.stop - place.start > 3:
                best[i] = max(best[i], float(share[place].max()))
    return best[0], best[1]


def _above(picture: cv2.typing.MatLike) -> NDArray[np.float32]:
    """Of each column the share of pixels above _STEP; OpenCV counts in a tenth of what numpy takes."""
    ones = cv2.threshold(picture, _STEP, 1, cv2.THRESH_BINARY)[1]
    return np.asarray(cv2.reduce(ones, 0, cv2.REDUCE_SUM)[0] / len(picture), dtype=np.float32)
