"""Whether a face is good enough to be judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import cv2.typing
import numpy as np

from shared.liveness.observation import Problem
from workers.vision.landmarks import Picture, Points

#: Inter-ocular distance in pixels of the working picture under which lids and lips can no longer be measured.
LEAST_EYE_DISTANCE = 18.0
#: Share of the picture's shorter side that the face's points may span before parts of it are cut off.
LARGEST_SPAN = 1.15
#: Share of its width or height that a face may lie outside the picture when it looks straight, and how much more for each
#: degree that it is turned: who turns beside the picture's edge takes a part of the face across it. Measured, 16 people:
#: looking straight 0, turned by 30° up to 0.17, by 40 to 47° up to 0.28.
CUT_OFF, CUT_OFF_BY_TURNING = 0.12, 0.005
#: Mean grey levels of the face between which there is something to see. Dark ones are made lighter for the networks
#: (`workers.vision.lighten`). Measured: recordings darkened to 7 to 30 levels, with a camera's noise, keep 62 of 63 hits.
DARKEST, BRIGHTEST = 5.0, 245.0
#: Spread of the face's grey levels (5th to 95th percentile) under which it is a silhouette or burnt out.
LEAST_SPREAD = 14.0
#: Fine detail over contrast under which lids and lips melt. Measured: people, also in movement, from 0.18 on; the same
#: blurred by a twentieth of the inter-ocular distance 0.09 to 0.2, by a tenth 0.05 to 0.16.
LEAST_SHARPNESS = 0.1
#: Inter-ocular distance in pixels that light and sharpness are measured at.
_SMALL = 40.0


@dataclass(frozen=True, slots=True)
class Light:
    """How a face is lit and drawn."""

    #: Mean grey level and spread (5th to 95th percentile), 0 to 255.
    mean: float
    spread: float
    #: Fine detail (spread of the Laplacian) over contrast.
    sharpness: float


def measure_light(picture: Picture, points: Points, eye_distance: float) -> Light:
    """The light on a face, from the box of its points (n, 2); eye_distance in pixels."""
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
    """What numpy gives as percentiles of 8-bit levels, by counting them: sorting took longer than all else here."""
    up_to = np.bincount(grey.ravel(), minlength=256).cumsum()
    ranks = np.asarray(parts) * (grey.size - 1)
    below, above = (np.searchsorted(up_to, rank(ranks), side="right") for rank in (np.floor, np.ceil))
    return list(map(float, below + (above - below) * (ranks % 1)))


def problem_of(picture: Picture, points: Points, eye_distance: float, yaw: float, light: Light) -> Problem | None:
    """What stands in the way of judging this face; None if nothing does. eye_distance in pixels, yaw in degrees."""
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
