"""A camera's noise, so that an attack's pictures differ as those of a camera do."""

from __future__ import annotations

import numpy as np

from workers.vision.landmarks import Picture

#: Standard deviation in grey levels: a webcam in room light.
STRENGTH = 3.0
#: Different noises; which one comes, and where in it, is by chance.
SHEETS = 6


class Grain:
    """Noise for one attack; the same seed gives the same noise."""

    def __init__(self, seed: int) -> None:
        self._chance = np.random.default_rng(seed)
        self._sheets: list[np.ndarray] = []

    def over(self, picture: Picture) -> Picture:
        """The picture as a camera sees it."""
        height, width = picture.shape[:2]
        if not self._sheets or self._sheets[0].shape[0] < height + 64 or self._sheets[0].shape[1] < width + 64:
            # Drawing it costs more than measuring a face: few sheets, laid on at other places each time.
            shape = (height + 64, width + 64, 3)
            self._sheets = [np.rint(self._chance.normal(0, STRENGTH, shape)).astype(np.int16) for _ in range(SHEETS)]
        sheet = self._sheets[int(self._chance.integers(SHEETS))]
        y, x = self._chance.integers(64, size=2)
        noisy = picture + sheet[y : y + height, x : x + width]
        return np.clip(noisy, 0, 255).astype(np.uint8)
