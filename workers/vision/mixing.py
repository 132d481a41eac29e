"""Tells a living face from photos that are cut or faded into each other: two pictures and mixtures of them.

Between two photos every pixel changes along one line, and all pixels in step: the change that remains after a plane's motion
(`workers.vision.flex`) is a multiple of one picture. A living face passes through views that are no mixture of its first and
last: lids and lips are on their way, a turning head shows its depth. So the largest change since a likeness was taken is
kept, and for every other change the share that is no multiple of it is measured, eyes and mouth included.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.vision.flex import FACE
from workers.vision.small import fine_detail

#: Side in pixels of the box that smooths a change, so that edges misaligned by a fraction of a pixel do not count.
_SMOOTH = 3
#: Standard deviation of white noise's Laplacian in those of the noise, and the variance of smoothed camera noise in those of
#: smoothed white noise: JPEG makes neighbouring pixels alike.
_LAPLACIAN, _ALIKE = float(np.sqrt(20)), 3.0
#: Lower bound of the noise's variance before smoothing, in grey levels squared: in a picture without noise, misaligned edges
#: would count as a change.
_LEAST_NOISE = 1 / 6
#: Least ratio of a change's mean square to the noise's variance for it to be kept, and to be compared.
_KEPT, _COMPARED = 6.0, 12.0
#: A change with more than this many times the kept change's energy replaces it without being compared: at the beginning of
#: a fade the kept change is little more than noise.
_OUTGROWN = 2.0
#: Range of the factor by which the kept change may be part of another; a negative factor is noise.
_TIMES = (-0.5, 4.0)


def unmixed(left: NDArray[np.float32], largest: bytes | None) -> tuple[float | None, bytes | None]:
    """The share of a change that is no multiple of the largest one, 0 to 1, and the largest change from now on.

    left: `Flex.left`, the unexplained change since the likeness was taken (side, side) in grey levels. largest: the change
    that was returned for the frame before, packed as 16-bit floats; None for the first frame after the likeness. The share
    is None if the change is too weak, or too much larger than the largest one, to be compared.
    """
    noise = _noise(left)
    change = np.asarray(np.take(cv2.blur(left, (_SMOOTH, _SMOOTH)), FACE), np.float32)
    strength = float(change @ change) / len(change)
    if largest is None:
        return None, _packed(change) if strength > _KEPT * noise else None
    other = np.frombuffer(largest, np.float16).astype(np.float32)
    squared = float(other @ other)
    share = None
    energy = strength * len(change)
    if strength > _COMPARED * noise and energy <= _OUTGROWN * squared:
        times = min(max(float(change @ other) / max(squared, 1e-6), _TIMES[0]), _TIMES[1])
        rest = change - times * other
        # Both changes contain noise.
        remaining = max(0.0, float(rest @ rest) / len(rest) - (1 + times**2) * noise)
        share = min(1.0, float(np.sqrt(remaining / (strength - noise))))
    grown = strength > _KEPT * noise and energy > squared
    return share, _packed(change) if grown else largest


def _noise(left: NDArray[np.float32]) -> float:
    """The variance of the camera's noise in the smoothed change."""
    return _ALIKE * ((1.4826 * fine_detail(left, FACE) / _LAPLACIAN) ** 2 + _LEAST_NOISE) / _SMOOTH**2


def _packed(change: NDArray[np.float32]) -> bytes:
    return change.astype(np.float16).tobytes()
