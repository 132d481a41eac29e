"""Fine stripes over a face: the pattern of a screen's pixels against the camera's."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.vision.landmarks import Picture

#: Side in pixels of the square that is looked at.
_SIDE = 128
#: Cycles a pixel between which stripes are fine, but not the camera's own noise.
_COARSEST, _FINEST = 0.09, 0.48
#: Width of the rings of like frequency, in cycles a pixel: within one, skin's and hair's power varies little.
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
    """How far the strongest fine stripe stands out of its ring of the face's spectrum, as a ratio of powers.

    None where the picture is smaller than the square. box: left, top, width, height in fractions of the picture's longer
    side. Measured: people 8 to 52 in the median of a clip (single frames up to 170), a laptop's screen 620.
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
    flat, standing_out = power.ravel(), np.zeros(power.size, np.float32)
    for ring in _RINGS:
        powers = flat[ring]
        standing_out[ring] = powers / max(_median(powers), 1e-9)
    # The window spreads a stripe over its neighbours; what stands alone is chance.
    return float(cv2.blur(standing_out.reshape(power.shape), (3, 3)).max())


def _median(values: NDArray[np.float64]) -> float:
    """What numpy gives, in a fifth of its time for a few hundred numbers."""
    middle = len(values) // 2
    ordered = np.sort(values)
    return float(ordered[middle] if len(values) % 2 else (ordered[middle - 1] + ordered[middle]) / 2)
