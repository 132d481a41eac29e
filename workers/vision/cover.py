"""How far a face is covered: by a mask over mouth and nose, or by dark glasses, told by the colours of patches of the face.

A mask makes the lips, the chin and what lies between them one colour, which is not that of the skin around the eyes. A beard
does not: lips are in it. Dark glasses make the eyes and what lies below them darker than the cheeks. A hand has the
skin's own colour, and is not told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.vision.landmarks import Picture, Points

#: Reach of a patch from its middle, and distance of the patches below the eyes, in inter-ocular distances.
_REACH: Final = 0.09
_BELOW_LIDS, _ON_CHEEKBONE = 0.12, 0.28
#: Weights of lightness, and of the two axes of colour (Lab): light falls differently on all parts of a face.
_WEIGHTS: Final = np.array((0.5, 1.0, 1.0))
#: Difference of colours, in Lab, that cloth and cameras have within one colour.
_ONE_COLOUR: Final = 3.0


@dataclass(frozen=True, slots=True)
class Cover:
    """How far a face is covered."""

    #: How far the colour of mouth and chin is from that of the skin, over how far their own colours are from each other.
    mouth: float
    #: The lightness of the eyes and of what lies below them, of the lighter eye, as a ratio to that of the cheeks.
    eyes: float


def measure_cover(picture: Picture, points: Points, eye_distance: float) -> Cover | None:
    """Measure a face by its points (68, 2); eye_distance: inter-ocular distance in pixels. None at the picture's edge."""
    up = points[27] - points[33]
    up = up / max(float(np.linalg.norm(up)), 1e-6) * eye_distance
    right_eye, left_eye = points[36:42].mean(axis=0), points[42:48].mean(axis=0)
    middles = np.array([
        # the skin: below the eyes, between the brows, on the bridge of the nose
        points[41] - _ON_CHEEKBONE * up, points[46] - _ON_CHEEKBONE * up,
        (points[21] + points[22]) / 2, (points[27] + points[28]) / 2,
        # mouth and chin: between nose and lips, upper lip, lower lip, between lips and jaw
        (points[33] + points[51]) / 2, (points[51] + points[62]) / 2, (points[57] + points[66]) / 2,
        (points[57] + points[8]) / 2,
        # the cheeks, and the tip of the nose
        (points[31] + points[2]) / 2, (points[35] + points[14]) / 2, points[30],
        # the eyes, and what lies below their lids
        right_eye, left_eye, points[41] - _BELOW_LIDS * up, points[46] - _BELOW_LIDS * up,
    ])  # fmt: skip
    colours = _colours(picture, middles, max(1, round(_REACH * eye_distance)))
    if colours is None:
        return None
    skin, mouth, cheeks, eyes = np.split(colours, (4, 8, 11))
    away = np.linalg.norm((mouth - np.median(skin, axis=0)) * _WEIGHTS, axis=1).min()
    apart = np.linalg.norm((mouth - np.median(mouth, axis=0)) * _WEIGHTS, axis=1).max()
    lightness = max(1.0, float(np.median(cheeks[:, 0])))
    return Cover(float(away / (apart + _ONE_COLOUR)), float(eyes[:, 0].max() / lightness))


def _colours(picture: Picture, middles: NDArray[np.floating], reach: int) -> NDArray[np.float32] | None:
    """The median colour around each middle, in Lab (n, 3); None if a patch lies outside of the picture."""
    height, width = picture.shape[:2]
    found = []
    for x, y in np.rint(middles).astype(int):
        patch = picture[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1]
        if not (0 <= x < width and 0 <= y < height):
            return None
        found.append(np.median(patch.reshape(-1, 3), axis=0))
    colours = np.array([found], dtype=np.float32) / 255
    return np.asarray(cv2.cvtColor(colours, cv2.COLOR_BGR2LAB)[0], dtype=np.float32)
