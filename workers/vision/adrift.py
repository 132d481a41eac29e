"""Measures whether a rim around a face moves apart from its background, as that of a screen or print in a hand does.

A hand is never quite still: the rim of a held object shifts and turns as one, while its background stands still or moves
only with the camera. Edges of a room always move with the background. So the motion of everything outside the rim is
estimated first, then the motion of the rim alone; the score is how much better the second motion explains the change of the
rim's pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.vision.registration import Grey, Pair
from workers.vision.surround import SIDE, Rim

#: Longer side in pixels of the small picture that a `Scene` keeps.
_SIDE = SIDE // 2
#: Lowest sureness of a rim whose motion is measured; most people have no such rim behind them.
_LEAST_RIM = 0.4
#: Half the width of the strip along each edge, and the gap between the strip and the background, in pixels.
_STRIP, _GAP = 3.0, 0.5
#: Fewest pixels in all strips together, and in the background, from which a motion is estimated.
_LEAST_STRIP, _LEAST_OUTSIDE = 40, 100
#: One background pixel in this many is used, which saves time.
_EVERY = 2
#: Mean square change that a camera's noise causes in the small picture, in grey levels squared.
_NOISE = 3.0


@dataclass(frozen=True, slots=True)
class Scene:
    """A whole picture, shrunk and grey, kept to be compared with a later one."""

    #: Pixels.
    width: int
    #: Grey levels, row by row.
    pixels: bytes

    @classmethod
    def of(cls, small: NDArray[np.uint8]) -> Scene:
        """Halve a grey picture (height, width) that was made by `surround.shrunk`."""
        size = (small.shape[1] // 2, small.shape[0] // 2)
        half = cv2.resize(small, size, interpolation=cv2.INTER_AREA)
        return cls(size[0], half.tobytes())

    @property
    def grey(self) -> Grey:
        """The grey levels, 0 to 255 (height, width)."""
        return np.frombuffer(self.pixels, np.uint8).reshape(-1, self.width).astype(np.float32)


def adrift(before: Scene, now: Scene, rim: Rim, box: tuple[float, float, float, float]) -> float | None:
    """How surely the rim has moved apart from its background between two pictures, 0 to 1.

    0 if the rim is too unsure; None if the pictures differ in size or too few pixels can be compared. box: left, top, width
    and height of the face in fractions of the picture's longer side.
    """
    earlier, later = before.grey, now.grey
    if earlier.shape != later.shape:
        return None
    if rim.sureness < _LEAST_RIM:
        return 0.0
    strips, outside = _parts(later.shape, rim, (box[0] + box[2] / 2, box[1] + box[3] / 2))
    on_rim = np.flatnonzero(np.logical_or.reduce(strips))
    background = np.flatnonzero(outside)[::_EVERY]
    if len(on_rim) < _LEAST_STRIP or len(background) * _EVERY < _LEAST_OUTSIDE:
        return None
    pair = Pair(earlier, later)
    of_background = pair.motion(background)
    of_rim = pair.motion(on_rim, of_background)
    residuals = [pair.change(motion).ravel() for motion in (of_rim, of_background)]
    residuals = [residual - residual[on_rim].mean() for residual in residuals]  # a change of light is no motion
    gains = [_gain(*(residual[strip.ravel()] for residual in residuals)) for strip in strips if strip.any()]
    return rim.sureness * sum(gains) / len(gains)


def _gain(of_rim: Grey, of_background: Grey) -> float:
    """How much smaller a strip's residual is under the rim's motion than under the background's, 0 to 1."""
    return max(0.0, 1 - (float(np.mean(of_rim**2)) + _NOISE) / (float(np.mean(of_background**2)) + _NOISE))


def _parts(
    shape: tuple[int, ...], rim: Rim, face: tuple[float, float]
) -> tuple[list[NDArray[np.bool_]], NDArray[np.bool_]]:
    """Masks of the strip along each edge of the rim, and of what lies beyond any edge, seen from the face's centre.

    shape: height and width of the picture; face: its centre (x, y) in fractions of the longer side.
    """
    down, across = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    strips, outside = [], np.zeros(shape, np.bool_)
    for ends in rim.sides:
        (x1, y1), (x2, y2) = (np.array(point) * _SIDE for point in ends)
        strip = np.zeros(shape, np.uint8)
        start, end = ((round(8 * float(x)), round(8 * float(y))) for x, y in ((x1, y1), (x2, y2)))
        cv2.line(strip, start, end, 1, round(2 * _STRIP), shift=3)  # shift: coordinates in eighths of a pixel
        strips.append(strip > 0)
        normal = np.array([y2 - y1, x1 - x2]) / max(float(np.hypot(x2 - x1, y2 - y1)), 1e-6)
        inward = np.sign(normal @ (np.array(face) * _SIDE - (x1, y1)))
        outside |= inward * (normal[0] * (across - x1) + normal[1] * (down - y1)) < -_STRIP - _GAP
    return strips, outside
