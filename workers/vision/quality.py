"""Whether a face is good enough to be judged."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from shared.liveness.observation import Problem
from workers.vision.landmarks import Picture, Points

#: Inter-ocular distance in pixels of the working picture under which lids and lips can no longer be measured.
LEAST_EYE_DISTANCE = 18.0
#: Share of the picture's shorter side that the face's points may span before parts of it are cut off.
LARGEST_SPAN = 1.15
#: Mean grey levels of the face between which there is something to see.
DARKEST, BRIGHTEST = 22.0, 245.0
#: Spread of the face's grey levels (5th to 95th percentile) under which it is a silhouette or burnt out.
LEAST_SPREAD = 14.0
#: Side of the small face picture that light is measured on.
_SMALL = 48


@dataclass(frozen=True, slots=True)
class Light:
    """How a face is lit: mean grey level and spread, 0 to 255."""

    mean: float
    spread: float


def measure_light(picture: Picture, points: Points) -> Light:
    """The light on a face, from the box of its points (n, 2)."""
    height, width = picture.shape[:2]
    low = np.maximum(np.floor(points.min(axis=0)), 0).astype(int)
    high = np.minimum(np.ceil(points.max(axis=0)), (width, height)).astype(int)
    if (high - low).min() < 2:
        return Light(0.0, 0.0)
    small = cv2.resize(picture[low[1] : high[1], low[0] : high[0]], (_SMALL, _SMALL), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
    dark, bright = np.percentile(grey, (5, 95))
    return Light(float(grey.mean()), float(bright - dark))


def problem_of(picture: Picture, points: Points, eye_distance: float, light: Light) -> Problem | None:
    """What stands in the way of judging this face; None if nothing does. eye_distance in pixels."""
    height, width = picture.shape[:2]
    if eye_distance < LEAST_EYE_DISTANCE:
        return Problem.TOO_FAR
    span = points.max(axis=0) - points.min(axis=0)
    if span.max() > LARGEST_SPAN * min(height, width):
        return Problem.TOO_CLOSE
    if light.mean < DARKEST or (light.mean < 2 * DARKEST and light.spread < LEAST_SPREAD):
        return Problem.TOO_DARK
    if light.mean > BRIGHTEST or (light.mean > 200 and light.spread < LEAST_SPREAD):
        return Problem.TOO_BRIGHT
    return None
