"""Arithmetic on small pictures, where NumPy's general functions cost more than the numbers: medians, blocks, equations."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

#: Side in pixels of the blocks of `block_means`.
BLOCK = 4


def median(values: NDArray[Any]) -> float:
    """The median of one or more numbers (n,), as numpy.median gives it; sorting is faster up to some thousands."""
    middle = len(values) // 2
    ordered = np.sort(values)
    return float(ordered[middle] if len(values) % 2 else (ordered[middle - 1] + ordered[middle]) / 2)


def block_means(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """The means of the blocks of a picture whose sides are whole numbers of blocks."""
    height, width = pixels.shape
    return np.asarray(
        cv2.resize(pixels, (width // BLOCK, height // BLOCK), interpolation=cv2.INTER_AREA), dtype=np.float32
    )


def solution(equations: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """The solution (n,) of linear equations (n, n) that are not singular, with these right sides (n,)."""
    return np.asarray(cv2.solve(equations, right.reshape(-1, 1))[1], dtype=np.float64).ravel()


def fine_detail(pixels: NDArray[np.float32], part: NDArray[np.intp]) -> float:
    """The strength of the fine detail in a part of a picture (the median of the absolute Laplacian), in grey levels.

    part: indices of the part's pixels, counted row by row.
    """
    return median(np.abs(np.take(cv2.Laplacian(pixels, cv2.CV_32F), part)))
