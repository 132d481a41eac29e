"""Where the eyes look, in the head: how far each iris is from the middle between its eye's corners.

Living eyes are never still: they jump from word to word of what is asked, and stay on the screen while the head turns. The
eyes of a photo that a program animates stay where the photo has them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Of the eye's contour: its left and its right corner in the network's picture. Of the iris: its centre.
_CORNERS, _CENTRE = (0, 8), 0


def gaze(contours: NDArray[np.float32], irises: NDArray[np.float32]) -> tuple[float, float]:
    """Where both eyes look, in eye widths to the picture's right and down.

    contours (2, 71, 2), irises (2, 5, 2): the points of the person's left and right eye in the network's picture, in which a
    left eye is mirrored.
    """
    left, right = contours[:, _CORNERS[0]], contours[:, _CORNERS[1]]
    along = right - left
    squared = np.maximum((along**2).sum(axis=1), 1e-6)
    away = irises[:, _CENTRE] - (left + right) / 2
    across = (away * along).sum(axis=1) / squared
    down = (along[:, 0] * away[:, 1] - along[:, 1] * away[:, 0]) / squared
    return float(across[1] - across[0]) / 2, float(down.mean())
