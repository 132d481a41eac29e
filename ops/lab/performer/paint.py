"""The texture: the portrait's head, and beside it what the portrait does not show, painted."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from ops.lab.performer import landmarks as marks
from ops.lab.performer import portrait
from ops.lab.performer.arrays import Picture, Points


class Area(NamedTuple):
    """A part of the texture that no pixel of the head uses, in the portrait's pixels."""

    left: float
    top: float
    right: float
    bottom: float


#: The dark inside an open mouth.
CAVITY = Area(4, 470, 60, 508)
#: The skin of closed lids, lashes at its lower edge.
RIGHT_LID = Area(70, 470, 126, 508)
LEFT_LID = Area(136, 470, 192, 508)
#: Skin this far above the upper and below the lower lid lends its colour to the closed one.
_ABOVE, _BELOW = 3.5, 4.0
#: Part of the lid's height that is lashes, and how dark they are.
_LASHES, _LASH_COLOUR = 0.16, np.array([42.0, 46.0, 62.0])
#: Pixels painted around an area, so that looking up its edge finds no neighbour.
_RIM = 3


def texture(picture: Picture, points: Points, factor: int) -> Picture:
    """The portrait's head enlarged by `factor`, with the areas above painted."""
    large = cv2.resize(portrait.head(picture), None, fx=factor, fy=factor, interpolation=cv2.INTER_LANCZOS4)
    rows = np.linspace(0, 1, 64)[:, None, None]
    _fill(large, CAVITY, (1 - rows) * np.array([18.0, 16, 34]) + rows * np.array([52.0, 50, 112]), factor)
    for area, upper, lower in (
        (RIGHT_LID, marks.RIGHT_EYE_UPPER, marks.RIGHT_EYE_LOWER),
        (LEFT_LID, marks.LEFT_EYE_UPPER, marks.LEFT_EYE_LOWER),
    ):
        _fill(large, area, _lid(picture, points[list(upper), :2], points[list(lower), :2]), factor)
    return large


def _fill(large: Picture, area: Area, colours: Points, factor: int) -> None:
    left, top, right, bottom = (round(edge * factor) for edge in area)
    inner = cv2.resize(colours, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)
    rim = cv2.copyMakeBorder(inner, _RIM, _RIM, _RIM, _RIM, cv2.BORDER_REPLICATE)
    large[top - _RIM : bottom + _RIM, left - _RIM : right + _RIM] = np.clip(rim, 0, 255)


def _lid(picture: Picture, upper: Points, lower: Points) -> Points:
    """A closed lid's skin, between the colours above and below the open eye, and its lashes."""
    soft = cv2.GaussianBlur(picture, (0, 0), 1.2).astype(np.float32)
    across = np.linspace(upper[0, 0], upper[-1, 0], 48)
    arch = np.sqrt(1 - np.linspace(-1, 1, len(across)) ** 2)
    above = np.interp(across, upper[:, 0], upper[:, 1]) - 1 - _ABOVE * arch
    below = np.interp(across, lower[:, 0], lower[:, 1]) + _BELOW
    at = across.astype(np.float32)[None]
    top = cv2.remap(soft, at, above.astype(np.float32)[None], cv2.INTER_LINEAR)
    bottom = cv2.remap(soft, at, below.astype(np.float32)[None], cv2.INTER_LINEAR)
    down = np.linspace(0, 1, 64)[:, None, None]
    skin = (1 - down) * top + down * bottom
    lashes = np.clip((down - (1 - _LASHES)) / (_LASHES / 2), 0, 1) * 0.85
    return np.asarray((1 - lashes) * skin + lashes * _LASH_COLOUR)
