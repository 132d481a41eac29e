"""Glasses, drawn over the face."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from ops.lab.performer.arrays import Picture, Points

#: Points around each rim.
_AROUND = 24
#: Half a rim's width and height, and how far it stands before the eyes, in the portrait's pixels.
_RIM = (17.0, 12.5)
_BEFORE = 9.0
_COLOUR = (38, 32, 30)


def outline(vertices: Points) -> Points:
    """The glasses in the head's own space: two rims, then the bridge's two ends, then each temple's two ends."""
    angles = np.linspace(0, 2 * np.pi, _AROUND, endpoint=False)
    ring = np.column_stack([_RIM[0] * np.cos(angles), _RIM[1] * np.sin(angles), np.zeros(_AROUND)])
    right, left = (np.add(vertices[[a, b]].mean(axis=0), (0, 3, -_BEFORE)) for a, b in ((33, 133), (362, 263)))
    out = np.array([_RIM[0], 0, 0])
    bridge = np.array([right + out, left - out]) - (0, 2, 1)
    temples = np.array([right - out, vertices[127] - (4, -3, 0), left + out, vertices[356] + (4, 3, 0)]) - (0, 3, 0)
    return np.asarray(np.concatenate([right + ring, left + ring, bridge, temples]))


def draw(
    picture: Picture,
    placed: Points,
    project: Callable[[Points], Points],
) -> None:
    """Draws the placed outline into the picture; a temple on the far side of a turned head is left out."""
    at = np.round(project(placed) * 16).astype(np.int32)
    rims, rest = at[: 2 * _AROUND].reshape(2, _AROUND, 1, 2), at[2 * _AROUND :]
    thick = max(1, round(float(np.ptp(at[:_AROUND, 0])) / 16 / 26))
    lenses = picture.copy()
    cv2.fillPoly(lenses, list(rims), (255, 244, 236), cv2.LINE_AA, 4)
    cv2.addWeighted(lenses, 0.08, picture, 0.92, 0, dst=picture)
    cv2.polylines(picture, list(rims), True, _COLOUR, thick, cv2.LINE_AA, 4)
    cv2.line(picture, tuple(rest[0]), tuple(rest[1]), _COLOUR, thick, cv2.LINE_AA, 4)
    middle = placed[: 2 * _AROUND, 0].mean()
    for hinge, ear, side in ((2, 3, -1), (4, 5, 1)):
        ends = placed[2 * _AROUND + np.array([hinge, ear])]
        if (ends[1, 0] - ends[0, 0]) * side > 0 and (ends[0, 0] - middle) * side > 0:
            cv2.line(picture, tuple(rest[hinge]), tuple(rest[ear]), _COLOUR, thick, cv2.LINE_AA, 4)
