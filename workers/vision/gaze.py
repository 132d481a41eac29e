"""Measures gaze: the offset of the irises from the middle between the corners of their eyes.

Living eyes are never still: they jump from word to word of an instruction, and stay on the screen while the head turns. The
eyes of an animated photo keep the gaze of the photo.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Indices: the left and right corner among the points of an eye's contour, and the centre among those of an iris.
_CORNERS, _CENTRE = (0, 8), 0


def gaze(contours: NDArray[np.float32], irises: NDArray[np.float32]) -> tuple[float, float]:
    """The mean offset of both irises, in eye widths to the picture's right and down.

    contours (2, 71, 2) and irises (2, 5, 2) hold the points of the person's left and right eye, in pixels of the network's
    input, in which the left eye is mirrored.
    """
    left, right = contours[:, _CORNERS[0]], contours[:, _CORNERS[1]]
    along = right - left
    squared = np.maximum((along**2).sum(axis=1), 1e-6)
    offset = irises[:, _CENTRE] - (left + right) / 2
    across = (offset * along).sum(axis=1) / squared
    down = (along[:, 0] * offset[:, 1] - along[:, 1] * offset[:, 0]) / squared
    return float(across[1] - across[0]) / 2, float(down.mean())
