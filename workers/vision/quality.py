"""Decides whether a face is large, whole, lit and sharp enough to be judged."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import cv2.typing
import numpy as np

from shared.liveness.observation import Problem
from workers.vision.landmarks import Picture, Points

#: Least inter-ocular distance in pixels of the decoded picture at which lids and lips can be measured.
LEAST_EYE_DISTANCE = 18.0
#: Largest span of the face's points, as a share of the picture's shorter side; a larger face does not fit.
LARGEST_SPAN = 1.15
#: Largest share of its width or height by which a frontal face may lie outside of the picture, and the addition for each
#: degree of yaw: near the picture's edge a turning head moves partly across it.
CUT_OFF, CUT_OFF_BY_TURNING = 0.12, 0.005
#: Range of the face's mean grey level in which it can be measured; dark faces are lightened for the networks
#: (`workers.vision.lighten`).
DARKEST, BRIGHTEST = 5.0, 245.0
#: Least spread of the face's grey levels (5th to 95th percentile); with less, a dark face is a silhouette, a bright one
#: overexposed.
LEAST_SPREAD = 14.0
#: Least sharpness (`Light.sharpness`) at which lids and lips are distinct enough to be measured.
LEAST_SHARPNESS = 0.1
#: Inter-ocular distance in pixels to which a face is scaled to measure its light and sharpness.
_SMALL = 40.0


@dataclass(frozen=True, slots=True)
class Light:
    """The light and sharpness of a face."""

    #: Mean grey level and spread (5th to 95th percentile), 0 to 255.
    mean: float
    spread: float
    #: Standard deviation of the Laplacian over that of the grey levels, with the face scaled to _SMALL.
    sharpness: float


def measure_light(picture: Picture, points: Points, eye_distance: float) -> Light:
    """Measure the light in the bounding box of a face's points (n, 2); eye_distance: inter-ocular distance in pixels.

    All is 0 if less than two pixels of the box lie inside the picture.
    """
    height, width = picture.shape[:2]
    low = np.maximum(np.floor(points.min(axis=0)), 0).astype(int)
    high = np.minimum(np.ceil(points.max(axis=0)), (width, height)).astype(int)
    if (high - low).min() < 2:
        return Light(0.0, 0.0, 0.0)
    face = cv2.cvtColor(picture[low[1] : high[1], low[0] : high[0]], cv2.COLOR_BGR2GRAY)
    scale = _SMALL / eye_distance
    small = cv2.resize(face, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    dark, bright = _percentiles(small, (0.05, 0.95))
    mean, contrast = (float(value[0, 0]) for value in cv2.meanStdDev(small))
    fine = float(cv2.meanStdDev(cv2.Laplacian(small, cv2.CV_32F))[1][0, 0])
    return Light(mean, bright - dark, fine / max(1.0, contrast))


def _percentiles(grey: cv2.typing.MatLike, parts: Sequence[float]) -> list[float]:
    """Percentiles of 8-bit levels, as numpy.percentile gives them, by counting levels, which is faster than sorting."""
    cumulative = np.bincount(grey.ravel(), minlength=256).cumsum().tolist()
    percentiles = []
    for part in parts:
        rank = part * (grey.size - 1)
        below, above = bisect_right(cumulative, int(rank)), bisect_right(cumulative, math.ceil(rank))
        percentiles.append(below + (above - below) * (rank % 1))
    return percentiles


def problem_of(picture: Picture, points: Points, eye_distance: float, yaw: float, light: Light) -> Problem | None:
    """The first problem that keeps this face from being judged, or None.

    points: the face's points (n, 2); eye_distance: inter-ocular distance in pixels; yaw in degrees.
    """
    height, width = picture.shape[:2]
    if eye_distance < LEAST_EYE_DISTANCE:
        return Problem.TOO_FAR
    span = points.max(axis=0) - points.min(axis=0)
    if span.max() > LARGEST_SPAN * min(height, width):
        return Problem.TOO_CLOSE
    beyond = np.maximum(np.maximum(-points.min(axis=0), points.max(axis=0) - (width, height)), 0)
    if (beyond > (CUT_OFF + CUT_OFF_BY_TURNING * abs(yaw)) * span).any():
        return Problem.CUT_OFF
    if light.mean < DARKEST or (light.mean < 2 * DARKEST and light.spread < LEAST_SPREAD):
        return Problem.TOO_DARK
    if light.mean > BRIGHTEST or (light.mean > 200 and light.spread < LEAST_SPREAD):
        return Problem.TOO_BRIGHT
    if light.sharpness < LEAST_SHARPNESS:
        return Problem.TOO_BLURRED
    return None
