"""Measures moiré: fine stripes over a face, where the pixel grids of a screen and of the camera interfere."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.vision.landmarks import Picture
from workers.vision.small import median

#: Side in pixels of the square around the face's centre whose spectrum is taken.
_SIDE = 128
#: Range of frequencies, in cycles a pixel, that are searched for stripes: finer than a face's features.
_COARSEST, _FINEST = 0.09, 0.48
#: Width of the rings of equal frequency in cycles a pixel; within one, the power of skin and hair varies little.
_RING = 1 / 64

_rows, _columns = np.fft.fftfreq(_SIDE)[:, None], np.fft.rfftfreq(_SIDE)[None, :]
_frequency = np.hypot(_rows, _columns)
_FINE = (_frequency > _COARSEST) & (_frequency < _FINEST)
_RINGS = [
    np.flatnonzero(_FINE & ((_frequency // _RING).astype(int) == ring))
    for ring in range(int(_COARSEST / _RING), int(_FINEST / _RING) + 1)
]
_WINDOW = np.outer(np.hanning(_SIDE), np.hanning(_SIDE)).astype(np.float32)


def moire(picture: Picture, box: tuple[float, float, float, float]) -> float | None:
    """The power of the strongest fine stripe in a face's spectrum over the median power at its frequency.

    None if the picture (height, width, 3) is smaller than the square. box: left, top, width and height of the face in
    fractions of the picture's longer side.
    """
    height, width = picture.shape[:2]
    if min(height, width) < _SIDE:
        return None
    longest = max(height, width)
    x = int(np.clip((box[0] + box[2] / 2) * longest - _SIDE / 2, 0, width - _SIDE))
    y = int(np.clip((box[1] + box[3] / 2) * longest - _SIDE / 2, 0, height - _SIDE))
    grey = cv2.cvtColor(picture[y : y + _SIDE, x : x + _SIDE], cv2.COLOR_BGR2GRAY).astype(np.float32)
    fine = grey - cv2.GaussianBlur(grey, (0, 0), 4)
    power: NDArray[np.float64] = np.abs(np.fft.rfft2(fine * _WINDOW)) ** 2
    flat, prominence = power.ravel(), np.zeros(power.size, np.float32)
    for ring in _RINGS:
        powers = flat[ring]
        prominence[ring] = powers / max(median(powers), 1e-9)
    # The window spreads a stripe over neighbouring frequencies, so a single peak is chance.
    return float(cv2.blur(prominence.reshape(power.shape), (3, 3)).max())
