"""Whether a face changes as photos do that follow each other, by a cut or by a fade: two pictures, and mixtures of them.

From one photo to another each pixel goes along one line, and all of them together: what a plane's movement leaves of the
change (`workers.vision.flex`) is one picture, now more of it, now less. A living face passes through what neither end shows:
lids and lips are on their way, a head that turns shows its depth bit by bit. So the largest change since the likeness was
taken is kept, and of each other change that part is told which is no multiple of it. Here eyes and mouth are looked at, too.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.vision.flex import FACE

#: Side in pixels of what changes are averaged over: edges that lie a fraction of a pixel beside each other are no change.
_SMOOTH = 3
#: What a camera's noise gives the Laplacian, in its own standard deviations, and how many times as strong as white noise
#: it still is when it has been smoothed: JPEG makes neighbours alike.
_LAPLACIAN, _ALIKE = float(np.sqrt(20)), 3.0
#: Variance, before smoothing, that is noise in any case: in a picture that is all but free of it, edges that lie a fraction
#: of a pixel beside each other would be taken for a change, and the next change for another one.
_LEAST_NOISE = 1 / 6
#: How many times as strong as its noise a change is to be kept, and to be compared.
_KEPT, _COMPARED = 6.0, 12.0
#: A change that is so many times as strong (in energy) as the one that is kept takes its place unjudged: where a fade
#: begins, what was kept is little more than noise.
_OUTGROWN = 2.0
#: How often the kept change may be in another; less than none is noise.
_TIMES = (-0.5, 4.0)


def unmixed(left: NDArray[np.float32], largest: bytes | None) -> tuple[float | None, bytes | None]:
    """How much of a change is no multiple of the largest one, 0 to 1; and the largest one from now on.

    left: what a plane leaves of the face's change since its likeness was taken, in grey levels (side, side). largest: as
    it was returned for the frame before; None for the first after the likeness. No share where nothing much has changed.
    """
    noise = _noise(left)
    change = np.asarray(cv2.blur(left, (_SMOOTH, _SMOOTH)), np.float32).ravel()[FACE]
    strength = float(change @ change) / len(change)
    if largest is None:
        return None, _kept(change) if strength > _KEPT * noise else None
    other = np.frombuffer(largest, np.float16).astype(np.float32)
    squared = float(other @ other)
    share = None
    energy = strength * len(change)
    if strength > _COMPARED * noise and energy <= _OUTGROWN * squared:
        times = min(max(float(change @ other) / max(squared, 1e-6), _TIMES[0]), _TIMES[1])
        rest = change - times * other
        # Both changes have their noise.
        remaining = max(0.0, float(rest @ rest) / len(rest) - (1 + times**2) * noise)
        share = min(1.0, float(np.sqrt(remaining / (strength - noise))))
    grown = strength > _KEPT * noise and energy > squared
    return share, _kept(change) if grown else largest


def _noise(left: NDArray[np.float32]) -> float:
    """The variance that a camera's noise gives what is left, after smoothing."""
    fine = float(np.median(np.abs(cv2.Laplacian(left, cv2.CV_32F).ravel()[FACE])))
    return _ALIKE * ((1.4826 * fine / _LAPLACIAN) ** 2 + _LEAST_NOISE) / _SMOOTH**2


def _kept(change: NDArray[np.float32]) -> bytes:
    return change.astype(np.float16).tobytes()
