"""Measures how much a face's skin changes beyond the motion of its points: shading and folds.

A program that animates one photo only moves the photo's pixels: flattened by its points, the face is the same in every
frame. A living head changes its angle to the light as it turns, and a smile folds the cheeks. So the face of each frame is
flattened and compared with that of a moment ago, apart from small smooth shifts of the skin and a change of light. Eyes,
brows, nostrils, mouth and the face's rim are left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.vision.flex import SmallFace
from workers.vision.landmarks import Points
from workers.vision.small import block_means, fine_detail, solution

#: Side of the flat face in pixels, pixels of an inter-ocular distance in it, and the row of the eyes.
_SIDE, _UNIT, _EYES = 32, 14.0, 9.5
#: Share of a block, over which the difference is averaged, that must be skin.
_WHOLE = 0.4
#: Share of the blocks that count; those with the largest differences may hold a strand of hair.
_COUNTED = 0.9
#: Mean square of the blocks' means that camera and JPEG noise cause, as a ratio to the mean square of fine detail.
_OF_NOISE = 0.08
#: Smoothing of the thin-plate spline: larger values follow the points less closely and bend less.
_STIFF = 0.01
#: Mean grey level below which a face is too dark to be measured.
_LEAST_LEVEL = 8.0

#: The 68 points of a mean face seen from the front, in inter-ocular distances from the middle between the eyes.
# fmt: off
_LAYOUT = np.array([
    (-1.076, -0.209), (-1.062, -0.025), (-1.048, 0.182), (-1.016, 0.421), (-0.946, 0.687), (-0.849, 0.927),
    (-0.597, 1.29), (-0.348, 1.524), (0, 1.632), (0.348, 1.524), (0.597, 1.29), (0.849, 0.927), (0.946, 0.687),
    (1.016, 0.421), (1.048, 0.182), (1.062, -0.025), (1.076, -0.209), (-0.887, -0.257), (-0.791, -0.307),
    (-0.645, -0.322), (-0.453, -0.289), (-0.231, -0.253), (0.231, -0.253), (0.453, -0.289), (0.645, -0.322),
    (0.791, -0.307), (0.887, -0.257), (0, 0.009), (0, 0.282), (0, 0.54), (0, 0.679), (-0.272, 0.715), (-0.12, 0.776),
    (0, 0.785), (0.12, 0.776), (0.272, 0.715), (-0.706, -0.023), (-0.598, -0.041), (-0.432, -0.041), (-0.271, 0.023),
    (-0.413, 0.066), (-0.576, 0.055), (0.271, 0.023), (0.432, -0.041), (0.598, -0.041), (0.706, -0.023),
    (0.576, 0.055), (0.413, 0.066), (-0.413, 1.002), (-0.246, 0.987), (-0.121, 0.98), (0, 0.999), (0.121, 0.98),
    (0.246, 0.987), (0.413, 1.002), (0.231, 1.206), (0.124, 1.258), (0, 1.271), (-0.124, 1.258), (-0.231, 1.206),
    (-0.357, 1.003), (-0.175, 1.039), (0, 1.064), (0.175, 1.039), (0.357, 1.003), (0.187, 1.089), (0, 1.12),
    (-0.187, 1.089),
])
# fmt: on
#: Parts that are no skin or move by themselves (eyes, mouth, brows, nostrils): the first of the 68 points and the one after
#: the last, and the margin around them in inter-ocular distances.
_NO_SKIN = ((36, 42, 0.12), (42, 48, 0.12), (48, 60, 0.12), (17, 22, 0.08), (22, 27, 0.08), (31, 36, 0.08))


@dataclass(frozen=True, slots=True)
class Skin:
    """A flattened face of an earlier frame, kept to be compared with later ones."""

    #: Arrival time of its frame in seconds.
    at: float
    #: Grey levels as 16-bit floats, row by row; rounding to whole levels would add noise.
    pixels: bytes

    @classmethod
    def of(cls, flat: NDArray[np.float32], at: float) -> Skin:
        """Pack a flattened face (_SIDE, _SIDE) of a frame that arrived at `at`."""
        return cls(at, flat.astype(np.float16).tobytes())


def lay_out(face: SmallFace, points: Points) -> NDArray[np.float32]:
    """Flatten a face to (_SIDE, _SIDE) grey levels, by a thin-plate spline through its 68 points (68, 2) in the picture."""
    places = (_SPLINE @ points.astype(np.float32)).reshape(_SIDE, _SIDE, 2)
    return np.asarray(cv2.GaussianBlur(face.greys(places), (3, 3), 0.8), np.float32)


def changed(before: Skin, flat: NDArray[np.float32]) -> float | None:
    """The change of the skin since `before`, as a share of its mean brightness; None if the face is too dark.

    flat: the flattened face (_SIDE, _SIDE). The change is a root mean square over blocks, without camera noise, a gain and
    an offset of the light, and shifts of the skin that are quadratic polynomials over the face; light and shifts are
    fitted together by least squares.
    """
    earlier = np.frombuffer(before.pixels, np.float16).reshape(_SIDE, _SIDE).astype(np.float32)
    grey = np.take(earlier, _SKIN)
    level = float(grey.mean())
    if level < _LEAST_LEVEL:
        return None
    left = np.zeros((_SIDE, _SIDE), np.float32)
    left.ravel()[_SKIN] = _unexplained(earlier + flat, grey, np.take(flat, _SKIN) - grey)
    noise = _OF_NOISE * (1.4826 * fine_detail(left, _INSIDE)) ** 2
    squares = np.take(block_means(left), _WITHIN)
    squares /= _SHARE
    squares *= squares
    squares.sort()
    strength = float(squares[: round(_COUNTED * len(squares))].mean())
    return math.sqrt(max(0.0, strength - noise)) / level


def _unexplained(
    both: NDArray[np.float32], grey: NDArray[np.float32], change: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The change of the skin's pixels that small shifts of the skin and a change of light leave unexplained.

    both: the sum of the two flat faces (_SIDE, _SIDE); grey, change: earlier levels of the skin's pixels, and their change.
    """
    causes = np.empty((14, len(grey)), np.float32)
    np.multiply(np.take(cv2.Sobel(both, cv2.CV_32F, 1, 0, scale=1 / 16), _SKIN), _SHIFTS, out=causes[:6])
    np.multiply(np.take(cv2.Sobel(both, cv2.CV_32F, 0, 1, scale=1 / 16), _SKIN), _SHIFTS, out=causes[6:12])
    causes[12], causes[13] = grey, 1
    normal = (causes @ causes.T).astype(np.float64)
    # Regularisation: smooth skin does not determine its shifts, which therefore stay small.
    damping = normal.reshape(-1)[::15]  # a view of the diagonal
    damping *= 1 + 1e-3
    damping += 1e-2
    damping[:-2] += 0.02 * len(grey)
    parameters = solution(normal, (causes @ change).astype(np.float64))
    return np.asarray(change - parameters.astype(np.float32) @ causes, np.float32)


def _weights() -> NDArray[np.float32]:
    """Weights (pixels, 68) of a thin-plate spline: position of each flat pixel in a picture, from the 68 points there."""
    pixels = _places().reshape(-1, 2)

    def bending(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
        squared = ((a[:, None] - b[None]) ** 2).sum(axis=2)
        return np.asarray(squared * np.log(np.maximum(squared, 1e-12)))

    n = len(_LAYOUT)
    plane = np.column_stack([np.ones(n), _LAYOUT])
    system = np.block([[bending(_LAYOUT, _LAYOUT) + _STIFF * np.eye(n), plane], [plane.T, np.zeros((3, 3))]])
    basis = np.column_stack([bending(pixels, _LAYOUT), np.ones(len(pixels)), pixels])
    return np.asarray((basis @ np.linalg.inv(system))[:, :n], np.float32)


def _places() -> NDArray[np.float64]:
    """Positions of the flat pixels (_SIDE, _SIDE, 2), in inter-ocular distances from the middle between the eyes."""
    down, across = np.mgrid[0:_SIDE, 0:_SIDE].astype(np.float64)
    return np.stack([(across - (_SIDE - 1) / 2) / _UNIT, (down - _EYES) / _UNIT], axis=-1)


def _skin() -> NDArray[np.bool_]:
    """A mask (_SIDE, _SIDE) of the pixels that are skin on everybody."""
    brows = _LAYOUT[17:27]

    def around(points: NDArray[np.float64], margin: float) -> NDArray[np.bool_]:
        hull = cv2.convexHull(points.astype(np.float32))
        inside = [cv2.pointPolygonTest(hull, (float(x), float(y)), True) for x, y in _places().reshape(-1, 2)]
        return np.asarray(np.reshape(inside, (_SIDE, _SIDE)) > -margin)

    # Up to the middle of the forehead, and away from the rim, where the background shows as soon as the head turns.
    skin = around(np.concatenate([_LAYOUT[:17], brows - (0, 0.3)]), -0.16)
    for first, last, margin in _NO_SKIN:
        skin &= ~around(_LAYOUT[first:last], margin)
    return skin


_SPLINE = _weights()
_IS_SKIN = _skin()
#: Indices of the pixels that are skin, and of those whose neighbours are skin too.
_SKIN = np.flatnonzero(_IS_SKIN.ravel())
_INSIDE = np.flatnonzero(cv2.erode(_IS_SKIN.astype(np.uint8), np.ones((3, 3), np.uint8)).ravel())
#: The six terms of a quadratic polynomial at each pixel of skin (6, pixels).
_x, _y = ((_places() - (0, 0.4)) / 2).reshape(-1, 2)[_SKIN].T.astype(np.float32)
_SHIFTS = np.stack([np.ones_like(_x), _x, _y, _x * _x, _x * _y, _y * _y])
#: Indices of the blocks that hold enough skin, and the share of skin in each.
_SHARES = block_means(_IS_SKIN.astype(np.float32)).ravel()
_WITHIN = np.flatnonzero(_SHARES > _WHOLE)
_SHARE = _SHARES[_WITHIN]
