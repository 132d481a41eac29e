"""Registers two small grey pictures: estimates how a part of them has shifted, turned and grown.

The motion is fitted to grey levels by inverse compositional alignment with robust weights (Baker, Gross, Ishikawa &
Matthews, "Lucas-Kanade 20 Years On: Part 2", 2003), first as a shift between blurred pictures, then as a similarity between
sharper ones.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

#: The rounds of a fit: blur in pixels, and number of parameters, 2 for a shift, 4 with growth and turning.
_ROUNDS = ((2.5, 2), (0.7, 4))
#: Most iterations of a round, and the step in pixels under which it ends.
_STEPS, _STANDING = 6, 0.03
#: Residual at which a pixel's weight falls to a quarter, in mean absolute residuals, and the lower bound of that mean in
#: grey levels.
_ASTRAY, _LEAST_SPREAD = 3.0, 0.8

#: A map (3, 3) from a picture's pixels to those of the earlier one.
Motion = NDArray[np.float64]
#: Grey levels (height, width), or a value for each pixel of a part (pixels,).
Grey = NDArray[np.float32]
#: Indices of a part's pixels, counted row by row.
Part = NDArray[np.intp]


class Pair:
    """Two grey pictures of the same size, the earlier one first."""

    def __init__(self, earlier: Grey, now: Grey) -> None:
        self._shape = now.shape
        height, width = now.shape
        self._to_middle = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1.0]])
        self._from_middle = np.array([[1, 0, width / 2], [0, 1, height / 2], [0, 0, 1.0]])
        down, across = np.mgrid[0:height, 0:width].astype(np.float32)
        #: Positions of the pixels from the centre, in widths of the picture.
        self._across, self._down = ((across - width / 2) / width).ravel(), ((down - height / 2) / width).ravel()
        self._rounds = [_Round(earlier, now, blur, count) for blur, count in _ROUNDS]

    def motion(self, part: Part, start: Motion | None = None) -> Motion:
        """The motion of a part between the pictures; start: the first estimate, by default no motion."""
        motion = np.eye(3) if start is None else start
        for round_ in self._rounds:
            motion = self._fitted(round_, part, motion)
        return motion

    def change(self, motion: Motion) -> Grey:
        """The difference (height, width) between the pictures that remains under a motion, in grey levels."""
        return self._rounds[-1].change(motion)

    def _fitted(self, round_: _Round, part: Part, motion: Motion) -> Motion:
        width = self._shape[1]
        slopes = round_.slopes(part, self._across[part], self._down[part])
        damping = 1e-4 * np.diag(np.einsum("ij,ij->j", slopes, slopes)) + 1e-3 * np.eye(slopes.shape[1])
        for _ in range(_STEPS):
            change = round_.change(motion).ravel()[part]
            change -= change.mean()  # a change of light is no motion
            spread = max(_LEAST_SPREAD, float(np.abs(change).mean()))
            weighted = (slopes * ((1 + (change / (_ASTRAY * spread)) ** 2) ** -2)[:, None]).T
            parameters = np.zeros(4)
            parameters[: len(damping)] = np.linalg.solve(weighted @ slopes + damping, weighted @ change)
            right, down, grown, turned = parameters / (1, 1, width, width)
            step = np.array([[1 + grown, -turned, right], [turned, 1 + grown, down], [0, 0, 1]])
            motion = motion @ self._from_middle @ np.linalg.inv(step) @ self._to_middle
            if np.abs(parameters).max() < _STANDING:
                break
        return motion


class _Round:
    """Both pictures with the blur of one round."""

    def __init__(self, earlier: Grey, now: Grey, blur: float, count: int) -> None:
        """count: number of parameters that the round fits."""
        self._earlier, self._now = (np.asarray(cv2.GaussianBlur(p, (0, 0), blur), np.float32) for p in (earlier, now))
        self._count = count
        self._across = cv2.Sobel(self._now, cv2.CV_32F, 1, 0, scale=1 / 8).ravel()
        self._down = cv2.Sobel(self._now, cv2.CV_32F, 0, 1, scale=1 / 8).ravel()

    def slopes(self, part: Part, x: Grey, y: Grey) -> Grey:
        """The first-order change (pixels, parameters) of a part's pixels by a unit of each parameter.

        x, y: the pixels' positions from the centre, in widths of the picture.
        """
        across, down = self._across[part], self._down[part]
        every = [across, down, across * x + down * y, down * x - across * y]
        return np.stack(every[: self._count], axis=1)

    def change(self, motion: Motion) -> Grey:
        height, width = self._now.shape
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        moved = cv2.warpAffine(self._earlier, motion[:2], (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(moved - self._now, np.float32)
