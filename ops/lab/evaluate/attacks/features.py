"""Lids and mouth of a photo, moved: the upper lids' skin comes down, lips part over a dark inside, corners go out and up.

Places are in the face's own axes: inter-ocular distances to the right of and below the middle between the eyes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.vision.landmarks import Picture, as_picture

Numbers = NDArray[np.floating[Any]]

#: Of the 468 vertices: each eye's corners, its lower and its upper lid; the mouth's corners, the inner lips, the chin.
CORNERS_OF_EYES = ((33, 133), (362, 263))
_LOWER, _UPPER = ((144, 145, 153), (373, 374, 380)), ((160, 159, 158), (387, 386, 385))
_CORNERS, _LIPS, _CHIN = (61, 291), (13, 14), 152
#: What of the face is worked on: from left to right, from above to below.
_FRAME = (-1.4, -0.8, 1.4, 2.6)
#: How far a whole smile takes a corner of the mouth and a cheek, out and up, and how far around them skin goes along.
_CORNER, _CHEEK, _AROUND = np.array([0.10, -0.10]), np.array([0.03, -0.07]), 0.28
#: A cheek from the corner of its side of the mouth.
_TO_CHEEK = np.array([0.12, -0.45])
#: How wide a whole mouth opens; the upper lip's part in it; half the jaw's width; below the chin it fades out over so much.
_GAP, _LIFTED, _JAW, _FADE = 0.36, 0.12, 0.6, 0.8
#: How far above the upper lid its skin begins to stretch.
_SKIN = 0.3


@dataclass(frozen=True, slots=True)
class Expression:
    """What the face does, each from 0 to about 1."""

    smile: float = 0.0
    mouth: float = 0.0
    lids: float = 0.0


class Features:
    """The photo's face, with vertices (468, 3)."""

    def __init__(self, photo: Picture, vertices: NDArray[np.float64], inside: tuple[float, float, float]) -> None:
        self._photo, self._inside = photo, inside
        right, left = (vertices[list(corners), :2].mean(axis=0) for corners in CORNERS_OF_EYES)
        axis = left - right
        self._axes = np.array([axis, (-axis[1], axis[0])])
        self._middle = (right + left) / 2
        self._places = (vertices[:, :2] - self._middle) @ np.linalg.inv(self._axes)
        x0, y0, x1, y1 = _FRAME
        corners = np.array([(x0, y0), (x1, y0), (x0, y1), (x1, y1)]) @ self._axes + self._middle
        height, width = photo.shape[:2]
        left_edge, top = np.clip(corners.min(axis=0), 0, (width - 1, height - 1)).astype(int)
        right_edge, bottom = np.clip(corners.max(axis=0), (left_edge + 1, top + 1), (width, height)).astype(int)
        self._part = (slice(top, bottom), slice(left_edge, right_edge))
        y, x = np.mgrid[top:bottom, left_edge:right_edge]
        self._here = (np.stack([x, y], axis=-1) - self._middle) @ np.linalg.inv(self._axes)

    def show(self, expression: Expression) -> Picture:
        """The photo with this expression."""
        if expression == Expression():
            return self._photo
        across, down = self._unsmiled(expression.smile)
        came, inside = self._closed(across, down, expression.mouth)
        for eye in (0, 1):
            came = self._opened(eye, across, came, expression.lids)
        source = (np.stack([across, came], axis=-1) @ self._axes + self._middle).astype(np.float32)
        x, y = source[..., 0], source[..., 1]
        part = cv2.remap(self._photo, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        cover = cv2.GaussianBlur(inside.astype(np.float32), (5, 5), 0)[..., None]
        picture = self._photo.copy()
        picture[self._part] = as_picture(np.rint(part * (1 - cover) + np.array(self._inside) * cover))
        return picture

    def _unsmiled(self, smile: float) -> tuple[Numbers, Numbers]:
        """Where each pixel is before the smile."""
        here = self._here.copy()
        for corner, side in zip(_CORNERS, (-1, 1), strict=True):
            mouth = self._places[corner]
            for place, way in ((mouth, _CORNER), (mouth + _TO_CHEEK * (side, 1), _CHEEK)):
                move = smile * way * (side, 1)
                apart = ((self._here - place - move) ** 2).sum(axis=-1)
                here -= move * np.exp(-apart / (2 * _AROUND**2))[..., None]
        return here[..., 0], here[..., 1]

    def _closed(self, across: Numbers, down: Numbers, opening: float) -> tuple[Numbers, NDArray[np.bool_]]:
        """How far down each pixel is while the mouth is closed, and which ones show its inside."""
        right, left = self._places[_CORNERS[0]], self._places[_CORNERS[1]]
        lips, chin = self._places[list(_LIPS)].mean(axis=0), self._places[_CHIN][1]
        share = (across - lips[0]) / (0.46 * (left[0] - right[0]))
        line = lips[1] + ((right[1] + left[1]) / 2 - lips[1]) * np.minimum(1, share**2)
        gap = opening * _GAP
        parted = gap * np.sqrt(np.maximum(0, 1 - share**2))
        upper, lower = line - _LIFTED * parted, line + parted
        lifted = down + _LIFTED * parted * np.exp(np.minimum(0, down - upper) / 0.15)
        towards = smooth((down - lower) / max(0.2, chin - lips[1]))
        jaw = gap * np.exp(-((across - lips[0]) ** 2) / (2 * _JAW**2))
        dropped = (parted * (1 - towards) + jaw * towards) * (1 - smooth((down - chin - gap) / _FADE))
        inside = (down > upper) & (down < lower) & (opening > 0)
        return np.where(down < line, lifted, np.maximum(line, down - dropped)), inside

    def _opened(self, eye: int, across: Numbers, down: Numbers, closing: float) -> Numbers:
        """How far down each pixel is while the eye is open."""
        one, other = (self._places[corner] for corner in CORNERS_OF_EYES[eye])
        middle, half = (one + other) / 2, abs(other[0] - one[0]) / 2
        share = (across - middle[0]) / half
        level = middle[1] + (other[1] - one[1]) / (other[0] - one[0]) * (across - middle[0])
        arch = np.maximum(0, 1 - share**2)
        upper = level + (self._places[list(_UPPER[eye])].mean(axis=0)[1] - middle[1]) * 1.2 * arch
        lower = level + (self._places[list(_LOWER[eye])].mean(axis=0)[1] - middle[1]) * 1.2 * arch
        lid, skin = upper + closing * np.maximum(0, lower - upper), upper - _SKIN
        stretched = skin + (down - skin) * _SKIN / (lid - skin)
        return np.where((down > skin) & (down < lid), stretched, down)


def smooth(share: Numbers) -> Numbers:
    """From 0 to 1 without a corner."""
    share = np.clip(share, 0, 1)
    return np.asarray(share * share * (3 - 2 * share))
