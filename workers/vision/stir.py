"""Measures stir: how much more a face's picture changes between two frames than the camera's noise explains.

A living face is never still: it breathes, its lids and lips move by fractions of a pixel. A photo that is held still changes
by noise alone, which is independent from pixel to pixel and so nearly vanishes in means over blocks; motion does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from workers.vision.landmarks import Picture, Points

#: Side in pixels of the blocks over which the difference is averaged.
_BLOCK = 8
#: Least and largest side of the patch in pixels, both whole blocks.
_LEAST, _MOST = 48, 128
#: Side of the patch in inter-ocular distances: the middle of the face.
_SIDE = 1.6
#: Least ratio of the face's contrast to the noise at which stillness counts: in a nearly black face, noise hides motion.
_LEAST_CONTRAST = 3.0
#: Stir from which motion was seen, however strong the noise.
_SEEN = 3.0
#: Index of the nose's tip, the patch's centre, among the 68 points.
_NOSE_TIP = 30


@dataclass(frozen=True, slots=True)
class Patch:
    """The middle of a face in an earlier frame: left, top and side in pixels, and the grey levels (bytes) row by row."""

    x: int
    y: int
    side: int
    pixels: bytes


def take_patch(picture: Picture, points: Points, eye_distance: float) -> Patch | None:
    """Cut out the middle of the face with these 68 points (68, 2); None if the picture is smaller than the patch.

    eye_distance: inter-ocular distance in pixels.
    """
    side = min(max(round(_SIDE * eye_distance / _BLOCK) * _BLOCK, _LEAST), _MOST)
    height, width = picture.shape[:2]
    if min(height, width) < side:
        return None
    middle = points[_NOSE_TIP]
    x = int(min(max(float(middle[0]) - side / 2, 0), width - side))
    y = int(min(max(float(middle[1]) - side / 2, 0), height - side))
    return Patch(x, y, side, _grey(picture, x, y, side).tobytes())


def stir(before: Patch, picture: Picture) -> float | None:
    """The variance of the blocks' mean change over the variance that independent noise of the same strength would have.

    0 for the same picture again, 1 for independent noise (up to 3 after JPEG compression), from 5 on for a living face. None
    if the patch lies outside of this picture, or if no motion was seen but the noise would have hidden it.
    """
    height, width = picture.shape[:2]
    if before.x + before.side > width or before.y + before.side > height:
        return None
    earlier = np.frombuffer(before.pixels, np.uint8).reshape(before.side, before.side)
    change = cv2.subtract(_grey(picture, before.x, before.y, before.side), earlier, dtype=cv2.CV_32F)
    # Variances ignore a change that all pixels share, such as a lamp's flicker or the camera's exposure.
    of_pixels = _variance(change)
    if of_pixels < 1e-6:
        return 0.0
    stirred = _variance(_means(change)) * _BLOCK**2 / of_pixels
    if stirred >= _SEEN:
        return stirred
    # The change contains the noise of two pictures.
    hidden = _variance(_means(earlier.astype(np.float32))) < _LEAST_CONTRAST**2 * of_pixels / 2
    return None if hidden else stirred


def _variance(pixels: cv2.typing.MatLike) -> float:
    return float(cv2.meanStdDev(pixels)[1][0, 0]) ** 2


def _means(pixels: cv2.typing.MatLike) -> cv2.typing.MatLike:
    """The means of the blocks (side / _BLOCK, side / _BLOCK) of floating-point numbers."""
    blocks = len(pixels) // _BLOCK
    return cv2.resize(pixels, (blocks, blocks), interpolation=cv2.INTER_AREA)


def _grey(picture: Picture, x: int, y: int, side: int) -> cv2.typing.MatLike:
    return cv2.cvtColor(picture[y : y + side, x : x + side], cv2.COLOR_BGR2GRAY)
