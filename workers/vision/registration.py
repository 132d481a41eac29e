"""How a part of a small picture has moved since an earlier one: shifted, turned and grown.

The motion is fitted to grey levels (inverse compositional alignment with weights: Baker, Gross, Ishikawa & Matthews 2003),
first as a shift between blurred pictures, then with turning and growth between sharp ones.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

#: Blur of the two rounds in pixels, and the numbers that each fits: 2 for a shift, 4 with turning and growth.
_ROUNDS = ((2.5, 2), (0.7, 4))
#: Steps of a round at most, and the pixels under which a step was the last.
_STEPS, _STANDING = 6, 0.03
#: How far from the rest a pixel's change is to count for a quarter, in mean absolute changes, and the grey levels that
#: these are at the least.
_ASTRAY, _LEAST_SPREAD = 3.0, 0.8

#: 3, 3: from a picture's pixels to those of the earlier one.
Motion = NDArray[np.float64]
Grey = NDArray[np.float32]
#: Pixels of a part, counted row by row.
Part = NDArray[np.intp]


class Pair:
    """Two pictures of one size, the earlier one first."""

    def __init__(self, was: Grey, now: Grey) -> None:
        self._shape = now.shape
        height, width = now.shape
        self._to_middle = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1.0]])
        self._from_middle = np.array([[1, 0, width / 2], [0, 1, height / 2], [0, 0, 1.0]])
        down, across = np.mgrid[0:height, 0:width].astype(np.float32)
        #: Where pixels are from the middle, in widths of the picture.
        self._across, self._down = ((across - width / 2) / width).ravel(), ((down - height / 2) / width).ravel()
        self._rounds = [_Round(was, now, blur, numbers) for blur, numbers in _ROUNDS]

    def motion(self, part: Part, start: Motion | None = None) -> Motion:
        """How a part has moved; `start`: where to begin, by default where it is."""
        motion = np.eye(3) if start is None else start
        for round_ in self._rounds:
            motion = self._fitted(round_, part, motion)
        return motion

    def change(self, motion: Motion) -> Grey:
        """What a motion leaves of the change between the two pictures, in grey levels."""
        return self._rounds[-1].change(motion)

    def _fitted(self, round_: _Round, part: Part, motion: Motion) -> Motion:
        width = self._shape[1]
        slopes = round_.slopes(part, self._across[part], self._down[part])
        keep = 1e-4 * np.diag(np.einsum("ij,ij->j", slopes, slopes)) + 1e-3 * np.eye(slopes.shape[1])
        for _ in range(_STEPS):
            change = round_.change(motion).ravel()[part]
            change -= change.mean()  # Light that comes or goes moves nothing.
            spread = max(_LEAST_SPREAD, float(np.abs(change).mean()))
            weighed = (slopes * ((1 + (change / (_ASTRAY * spread)) ** 2) ** -2)[:, None]).T
            numbers = np.zeros(4)
            numbers[: len(keep)] = np.linalg.solve(weighed @ slopes + keep, weighed @ change)
            right, down, grown, turned = numbers / (1, 1, width, width)
            step = np.array([[1 + grown, -turned, right], [turned, 1 + grown, down], [0, 0, 1]])
            motion = motion @ self._from_middle @ np.linalg.inv(step) @ self._to_middle
            if np.abs(numbers).max() < _STANDING:
                break
        return motion


class _Round:
    """The pictures as one round sees them."""

    def __init__(self, was: Grey, now: Grey, blur: float, numbers: int) -> None:
        self._was, self._now = (np.asarray(cv2.GaussianBlur(p, (0, 0), blur), np.float32) for p in (was, now))
        self._numbers = numbers
        self._across = cv2.Sobel(self._now, cv2.CV_32F, 1, 0, scale=1 / 8).ravel()
        self._down = cv2.Sobel(self._now, cv2.CV_32F, 0, 1, scale=1 / 8).ravel()

    def slopes(self, part: Part, x: Grey, y: Grey) -> Grey:
        """(pixels, numbers): what a unit of each number changes in each pixel, to the first order."""
        across, down = self._across[part], self._down[part]
        every = [across, down, across * x + down * y, down * x - across * y]
        return np.stack(every[: self._numbers], axis=1)

    def change(self, motion: Motion) -> Grey:
        height, width = self._now.shape
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        moved = cv2.warpAffine(self._was, motion[:2], (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(moved - self._now, np.float32)
