"""Whether a face's rim moves by itself: a screen or a print in a hand does, the edges of a room do not.

Nobody holds a thing quite still. Its rim is shifted and turned as one, and what lies beyond it is not, or by the camera's
own movement only. Edges in a room stand still or move with all that is around them, whatever the person before them does. So
the movement of what lies outside of the rim is found, then that of the rim alone, and the result is how much better the
second explains how the rim's picture has changed.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.vision.registration import Grey, Pair
from workers.vision.surround import SIDE, Rim

#: Longer side in pixels of the small picture that is kept.
_SIDE = SIDE // 2
#: Sureness of a rim from which it is worth looking at: most people have none.
_LEAST_RIM = 0.4
#: Half the width of the strip that is looked at along each edge, in pixels, and what is left out beyond it.
_STRIP, _GAP = 3.0, 0.5
#: Pixels of all strips, and pixels outside of them, from which their movement can be told.
_LEAST_STRIP, _LEAST_OUTSIDE = 40, 100
#: Of what lies outside each so many pixels one is looked at.
_EVERY = 2
#: Mean square of what a camera's noise changes in the small picture, in grey levels.
_NOISE = 3.0


@dataclass(frozen=True, slots=True)
class Scene:
    """A whole picture, small and grey, as it was."""

    width: int
    #: Grey levels, row by row.
    pixels: bytes

    @classmethod
    def of(cls, small: NDArray[np.uint8]) -> Scene:
        """What is to be kept of a picture that `workers.vision.surround` has shrunk."""
        size = (small.shape[1] // 2, small.shape[0] // 2)
        half = cv2.resize(small, size, interpolation=cv2.INTER_AREA)
        return cls(size[0], half.tobytes())

    @property
    def grey(self) -> Grey:
        """The grey levels (height, width)."""
        return np.frombuffer(self.pixels, np.uint8).reshape(-1, self.width).astype(np.float32)


def adrift(before: Scene, now: Scene, rim: Rim, box: tuple[float, float, float, float]) -> float | None:
    """How surely the rim has moved otherwise than what lies outside of it, 0 to 1; 0 where there is no rim.

    None where there is nothing to compare. box: the face, as for `rim`.
    """
    was, grey = before.grey, now.grey
    if was.shape != grey.shape:
        return None
    if rim.sureness < _LEAST_RIM:
        return 0.0
    strips, outside = _parts(grey.shape, rim, (box[0] + box[2] / 2, box[1] + box[3] / 2))
    along = np.flatnonzero(np.logical_or.reduce(strips))
    beyond = np.flatnonzero(outside)[::_EVERY]
    if len(along) < _LEAST_STRIP or len(beyond) * _EVERY < _LEAST_OUTSIDE:
        return None
    pair = Pair(was, grey)
    with_it = pair.motion(beyond)
    alone = pair.motion(along, with_it)
    left = [pair.change(motion).ravel() for motion in (alone, with_it)]
    left = [change - change[along].mean() for change in left]
    gains = [_gain(*(change[strip.ravel()] for change in left)) for strip in strips if strip.any()]
    return rim.sureness * sum(gains) / len(gains)


def _gain(alone: Grey, with_it: Grey) -> float:
    """How much less is left by the rim's own movement than by that of the rest, 0 to 1."""
    return max(0.0, 1 - (float(np.mean(alone**2)) + _NOISE) / (float(np.mean(with_it**2)) + _NOISE))


def _parts(
    shape: tuple[int, ...], rim: Rim, face: tuple[float, float]
) -> tuple[list[NDArray[np.bool_]], NDArray[np.bool_]]:
    """The strip along each edge of the rim, and what lies beyond any of them as seen from the face's middle."""
    down, across = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    strips, outside = [], np.zeros(shape, np.bool_)
    for one, other in rim.sides:
        (x, y), (u, v) = (np.array(point) * _SIDE for point in (one, other))
        strip = np.zeros(shape, np.uint8)
        start, end = ((round(8 * float(a)), round(8 * float(b))) for a, b in ((x, y), (u, v)))
        cv2.line(strip, start, end, 1, round(2 * _STRIP), shift=3)
        strips.append(strip > 0)
        normal = np.array([v - y, x - u]) / max(float(np.hypot(u - x, v - y)), 1e-6)
        towards = np.sign(normal @ (np.array(face) * _SIDE - (x, y)))
        outside |= towards * (normal[0] * (across - x) + normal[1] * (down - y)) < -_STRIP - _GAP
    return strips, outside
