"""How much a face's skin changes beside the movement of its points: shading, folds, what a living face adds to geometry.

A program that animates one photo moves the photo's own pixels: laid out flat by its points, the face is the same in every
frame. A living head that turns changes its angle to the light, a smile lifts folds out of cheeks, and no face comes back to
exactly where it was. So each frame's face is laid out flat and compared with that of a moment ago; what smooth small shifts
of the skin and a change of the lamp explain is taken off. Eyes, brows, nostrils, mouth and the face's rim are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.vision.flex import SmallFace
from workers.vision.landmarks import Points

#: Side in pixels of the flat face, pixels of an inter-ocular distance in it, and the row that the eyes lie on.
_SIDE, _UNIT, _EYES = 32, 14.0, 9.5
#: Side of the blocks that what is left is averaged over, and the share of one that must be skin.
_BLOCK, _WHOLE = 4, 0.4
#: Share of the blocks that count: those that are left the most may hold a strand of hair.
_COUNTED = 0.9
#: Mean square of a block's mean over that of fine detail, for a camera's noise and JPEG's.
_OF_NOISE = 0.08
#: How stiffly the points' own places are kept when the space between them is filled, as a share of the spline's bending.
_STIFF = 0.01
#: Mean grey level under which a face is too dark for shares of its brightness.
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
#: What is no skin, or moves by itself: the first of the 68 points and the one after the last, and the margin around them in
#: inter-ocular distances. Eyes, mouth, brows, nostrils.
_NO_SKIN = ((36, 42, 0.12), (42, 48, 0.12), (48, 60, 0.12), (17, 22, 0.08), (22, 27, 0.08), (31, 36, 0.08))


@dataclass(frozen=True, slots=True)
class Skin:
    """A face laid out flat, as it was."""

    #: Arrival of the frame it comes from.
    at: float
    #: Grey levels as floats of 16 bits, row by row: whole levels would be a noise of their own.
    pixels: bytes

    @classmethod
    def of(cls, flat: NDArray[np.float32], at: float) -> Skin:
        """The face that was laid out flat, to be compared with a later one."""
        return cls(at, flat.astype(np.float16).tobytes())


def lay_out(face: SmallFace, points: Points) -> NDArray[np.float32]:
    """The face laid out flat (_SIDE, _SIDE), from its 68 points (68, 2) in the picture."""
    places = (_BETWEEN @ points.astype(np.float32)).reshape(_SIDE, _SIDE, 2)
    return np.asarray(cv2.GaussianBlur(face.greys(places), (3, 3), 0.8), np.float32)


def changed(before: Skin, flat: NDArray[np.float32]) -> float | None:
    """How much the skin has changed since, in shares of its brightness; None where the face is too dark for that.

    Taken off are a gain and an offset of the light, and shifts of the skin that vary over the face by a polynomial of the
    second degree, fitted at once by least squares; and what the camera's noise leaves in the blocks' means.
    """
    was = np.frombuffer(before.pixels, np.float16).reshape(_SIDE, _SIDE).astype(np.float32)
    grey = was.ravel()[_SKIN]
    level = float(grey.mean())
    if level < _LEAST_LEVEL:
        return None
    left = np.zeros((_SIDE, _SIDE), np.float32)
    left.ravel()[_SKIN] = _unexplained(was + flat, grey, flat.ravel()[_SKIN] - grey)
    noise = _OF_NOISE * (1.4826 * float(np.median(np.abs(cv2.Laplacian(left, cv2.CV_32F).ravel()[_INSIDE])))) ** 2
    squares = np.sort((_blocks(left)[_WITHIN] / _SHARE) ** 2)
    strength = float(squares[: round(_COUNTED * len(squares))].mean())
    return float(np.sqrt(max(0.0, strength - noise))) / level


def _unexplained(
    both: NDArray[np.float32], grey: NDArray[np.float32], change: NDArray[np.float32]
) -> NDArray[np.float32]:
    """What small shifts of the skin and a change of the light leave of its change.

    both: the sum of the two flat faces; grey, change: of the skin's pixels, as they were and what they changed by.
    """
    across = cv2.Sobel(both, cv2.CV_32F, 1, 0, scale=1 / 16).ravel()[_SKIN]
    down = cv2.Sobel(both, cv2.CV_32F, 0, 1, scale=1 / 16).ravel()[_SKIN]
    causes = np.concatenate([across * _SHIFTS, down * _SHIFTS, grey[None], np.ones_like(grey)[None]])
    normal = (causes @ causes.T).astype(np.float64)
    # Smooth skin leaves shifts open: they stay small.
    keep = 1e-3 * np.diag(normal) + 1e-2
    keep[:-2] += 0.02 * len(grey)
    numbers = np.linalg.solve(normal + np.diag(keep), (causes @ change).astype(np.float64))
    return np.asarray(change - numbers.astype(np.float32) @ causes, np.float32)


def _blocks(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    return pixels.reshape(_SIDE // _BLOCK, _BLOCK, _SIDE // _BLOCK, _BLOCK).mean(axis=(1, 3))


def _weights() -> NDArray[np.float32]:
    """A thin-plate spline's weights: how much each of the 68 points tells about where each flat pixel is in the picture."""
    pixels = _places().reshape(-1, 2)

    def bending(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
        squared = ((a[:, None] - b[None]) ** 2).sum(axis=2)
        return np.asarray(squared * np.log(np.maximum(squared, 1e-12)))

    n = len(_LAYOUT)
    plane = np.column_stack([np.ones(n), _LAYOUT])
    system = np.block([[bending(_LAYOUT, _LAYOUT) + _STIFF * np.eye(n), plane], [plane.T, np.zeros((3, 3))]])
    seen = np.column_stack([bending(pixels, _LAYOUT), np.ones(len(pixels)), pixels])
    return np.asarray((seen @ np.linalg.inv(system))[:, :n], np.float32)


def _places() -> NDArray[np.float64]:
    """Where the flat face's pixels are (_SIDE, _SIDE, 2), in inter-ocular distances from the middle between the eyes."""
    down, across = np.mgrid[0:_SIDE, 0:_SIDE].astype(np.float64)
    return np.stack([(across - (_SIDE - 1) / 2) / _UNIT, (down - _EYES) / _UNIT], axis=-1)


def _skin() -> NDArray[np.bool_]:
    """The pixels that are skin on everybody."""
    brows = _LAYOUT[17:27]

    def around(points: NDArray[np.float64], margin: float) -> NDArray[np.bool_]:
        hull = cv2.convexHull(points.astype(np.float32))
        reach = [cv2.pointPolygonTest(hull, (float(x), float(y)), True) for x, y in _places().reshape(-1, 2)]
        return np.asarray(np.reshape(reach, (_SIDE, _SIDE)) > -margin)

    # As far up as half a forehead, and away from the rim, where a room shows as soon as the head turns.
    skin = around(np.concatenate([_LAYOUT[:17], brows - (0, 0.3)]), -0.16)
    for first, last, margin in _NO_SKIN:
        skin &= ~around(_LAYOUT[first:last], margin)
    return skin


_BETWEEN = _weights()
_IS_SKIN = _skin()
#: The pixels that are skin, and those of them whose neighbours are.
_SKIN = np.flatnonzero(_IS_SKIN.ravel())
_INSIDE = np.flatnonzero(cv2.erode(_IS_SKIN.astype(np.uint8), np.ones((3, 3), np.uint8)).ravel())
#: 6, pixels: how much of each shift's terms a pixel of skin takes.
_x, _y = ((_places() - (0, 0.4)) / 2).reshape(-1, 2)[_SKIN].T.astype(np.float32)
_SHIFTS = np.stack([np.ones_like(_x), _x, _y, _x * _x, _x * _y, _y * _y])
#: The blocks that have enough skin, and the share of each that it is.
_WITHIN = _blocks(_IS_SKIN.astype(np.float32)) > _WHOLE
_SHARE = _blocks(_IS_SKIN.astype(np.float32))[_WITHIN]
