"""How much more a face's picture changes from one frame to the next than the camera's noise explains.

A live face is never still: it breathes, its lids and lips move by fractions of a pixel. A photo held still before a camera
changes by noise alone, which knows nothing of its neighbours: averaged over blocks it all but vanishes. What does not vanish
has moved.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.vision.landmarks import Picture, Points

#: Side of the blocks in pixels that the difference is averaged over.
_BLOCK = 8
#: Sides of the patch in pixels: whole blocks, so large that it holds the face's middle.
_LEAST, _MOST = 48, 128
#: Side of the patch in inter-ocular distances.
_SIDE = 1.6
#: How many times the noise the face's contrast must be, for stillness to mean anything: what little moves in a face that
#: is all but black is drowned. Measured: stills under camera noise 6.7 to 36; people in the dark in whom it is, 1.4 to 2.7.
_LEAST_CONTRAST = 3.0
#: From here on a movement was seen, whatever the noise.
_SEEN = 3.0
#: The nose's tip among the 68 points: the patch's centre.
_NOSE_TIP = 30


@dataclass(frozen=True, slots=True)
class Patch:
    """The middle of a face as it was: its place in the picture, and its grey levels row by row."""

    x: int
    y: int
    side: int
    pixels: bytes


def take_patch(picture: Picture, points: Points, eye_distance: float) -> Patch | None:
    """The middle of the face (eye_distance in pixels); None where the picture does not hold it."""
    side = int(np.clip(round(_SIDE * eye_distance / _BLOCK) * _BLOCK, _LEAST, _MOST))
    height, width = picture.shape[:2]
    if min(height, width) < side:
        return None
    x = int(np.clip(points[_NOSE_TIP, 0] - side / 2, 0, width - side))
    y = int(np.clip(points[_NOSE_TIP, 1] - side / 2, 0, height - side))
    return Patch(x, y, side, _grey(picture, x, y, side).tobytes())


def stir(before: Patch, picture: Picture) -> float | None:
    """The change of the blocks' means over what the change of single pixels gives them if it is noise.

    1 for noise that knows nothing of its neighbours (JPEG makes it up to 3), from 5 to 50 for a face that lives, 0 for the
    same picture again. None where this picture does not reach as far as the patch, and where nothing was seen to move but
    the noise is so strong, for the face's contrast, that nothing could have been.
    """
    height, width = picture.shape[:2]
    if before.x + before.side > width or before.y + before.side > height:
        return None
    was = np.frombuffer(before.pixels, np.uint8).reshape(before.side, before.side).astype(np.float32)
    change = _grey(picture, before.x, before.y, before.side).astype(np.float32) - was
    # Variances leave out what changes all pixels alike, a lamp's flicker and the camera's exposure: that is no movement.
    of_pixels = float(cv2.meanStdDev(change)[1][0, 0]) ** 2
    if of_pixels < 1e-6:
        return 0.0
    stirred = float(_means(change).var()) * _BLOCK**2 / of_pixels
    # The change is of two pictures' noise.
    drowned = float(_means(was).var()) < _LEAST_CONTRAST**2 * of_pixels / 2
    return None if stirred < _SEEN and drowned else stirred


def _means(pixels: NDArray[np.float32]) -> cv2.typing.MatLike:
    """The blocks' means."""
    blocks = len(pixels) // _BLOCK
    return cv2.resize(pixels, (blocks, blocks), interpolation=cv2.INTER_AREA)


def _grey(picture: Picture, x: int, y: int, side: int) -> cv2.typing.MatLike:
    return cv2.cvtColor(picture[y : y + side, x : x + side], cv2.COLOR_BGR2GRAY)
