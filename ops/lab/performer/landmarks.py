"""Finding the 468 mesh points, with depth, on the portrait: once, when a performer is made."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ops.lab.performer.arrays import Picture, Points

#: The model's file, as `ops/models` names it.
MODEL = "face_landmark.tflite"
#: Side of the square that the model takes, in pixels.
_INPUT = 192
#: How much larger than the points' own extent the square is cut, as the model was trained.
_MARGIN = 1.5

#: Indices of points along the lids and lips, each from the picture's left to its right.
RIGHT_EYE_UPPER = (33, 246, 161, 160, 159, 158, 157, 173, 133)
RIGHT_EYE_LOWER = (33, 7, 163, 144, 145, 153, 154, 155, 133)
LEFT_EYE_UPPER = (362, 398, 384, 385, 386, 387, 388, 466, 263)
LEFT_EYE_LOWER = (362, 382, 381, 380, 374, 373, 390, 249, 263)
INNER_UPPER_LIP = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
INNER_LOWER_LIP = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
#: Along the upper edge of the brows.
BROWS = (70, 63, 105, 66, 107, 336, 296, 334, 293, 300)
#: Other points of the lips: the red's edge, and the rows between it and the mouth's line.
UPPER_LIP = (
    185,
    40,
    39,
    37,
    0,
    267,
    269,
    270,
    409,
    184,
    74,
    73,
    72,
    11,
    302,
    303,
    304,
    408,
    183,
    42,
    41,
    38,
    12,
    268,
    271,
    272,
    407,
)
LOWER_LIP = (
    146,
    91,
    181,
    84,
    17,
    314,
    405,
    321,
    375,
    77,
    90,
    180,
    85,
    16,
    315,
    404,
    320,
    307,
    96,
    89,
    179,
    86,
    15,
    316,
    403,
    319,
    325,
)
MOUTH_CORNERS = (61, 291, 76, 306, 62, 292, 78, 308)
#: Around the face, clockwise in the picture, from the forehead's middle.
OVAL = (
    10,
    338,
    297,
    332,
    284,
    251,
    389,
    356,
    454,
    323,
    361,
    288,
    397,
    365,
    379,
    378,
    400,
    377,
    152,
    148,
    176,
    149,
    150,
    136,
    172,
    58,
    132,
    93,
    234,
    127,
    162,
    21,
    54,
    103,
    67,
    109,
)


def find(picture: Picture, models: Path, around: tuple[float, float, float]) -> Points:
    """The 468 points of the one face in a BGR picture: x, y and depth in the picture's pixels, depth away from us.

    around: a square (middle x, middle y, side) that holds the face; the search is narrowed from there.
    """
    path = models / MODEL
    if not path.is_file():
        raise FileNotFoundError(f"The performer needs the model {MODEL} in {models}; ops/up brings it there.")
    net = cv2.dnn.readNetFromTFLite(str(path))
    x, y, side = around
    points = np.empty((0, 3))
    for _ in range(4):  # each time cut again around the last points, until the cut no longer moves
        scale = _INPUT / side
        cut = np.array([[scale, 0, _INPUT / 2 - x * scale], [0, scale, _INPUT / 2 - y * scale]])
        face = cv2.warpAffine(picture, cut, (_INPUT, _INPUT))
        net.setInput(cv2.dnn.blobFromImage(face, 1 / 255, swapRB=True))
        points = np.asarray(net.forward(), dtype=np.float64).reshape(468, 3) / scale
        points[:, :2] += (x - side / 2, y - side / 2)
        low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
        (x, y), side = (low + high) / 2, _MARGIN * float((high - low).max())
    return points
