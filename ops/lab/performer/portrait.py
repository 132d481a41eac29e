"""The portrait: which of its pixels are head and which are body, cut out by hand-set outlines.

The picture is scikit-image's `astronaut`, a NASA portrait in the public domain. All coordinates here are its pixels.
"""

from __future__ import annotations

import cv2
import numpy as np

from ops.lab.performer.arrays import Picture, Weights

#: A square around the face: middle x, middle y, side.
FACE_AREA = (225.0, 121.0, 162.0)
#: The middle of the skull, seen from the front; outlines are walked around it.
SKULL = (226.0, 105.0)

#: Hair from the right ear's lobe (on the picture's left) over the crown to the left ear's lobe, just inside its edge.
HAIR = np.array(
    [
        (177, 132),
        (172, 122),
        (166, 114),
        (159, 101),
        (155, 77),
        (158, 63),
        (167, 52),
        (181, 42),
        (192, 32),
        (204, 25),
        (216, 21),
        (230, 18),
        (248, 20),
        (268, 29),
        (284, 41),
        (294, 58),
        (299, 79),
        (298, 94),
        (294, 107),
        (285, 118),
        (277, 128),
        (274, 133),
    ],
    dtype=np.float64,
)
#: The jaw's edge, on from there: from the left ear's lobe under the chin to the right ear's.
JAW = np.array(
    [
        (268, 137),
        (264, 142),
        (262, 149),
        (257, 158),
        (251, 166),
        (241, 174),
        (232, 177),
        (222, 178),
        (211, 176),
        (202, 172),
        (194, 166),
        (188, 158),
        (185, 149),
        (184, 141),
        (182, 135),
    ],
    dtype=np.float64,
)
#: Suit, collar and neck; below the picture's edge at the bottom.
BODY = np.array(
    [
        (0, 512),
        (19, 400),
        (26, 341),
        (40, 292),
        (60, 257),
        (80, 237),
        (100, 220),
        (112, 208),
        (115, 202),
        (114, 190),
        (119, 187),
        (125, 179),
        (134, 166),
        (149, 155),
        (167, 150),
        (186, 150),
        (187, 120),
        (256, 120),
        (254, 173),
        (269, 183),
        (284, 200),
        (296, 215),
        (304, 230),
        (305, 240),
        (321, 248),
        (339, 265),
        (352, 289),
        (360, 332),
        (364, 346),
        (399, 344),
        (440, 360),
        (512, 400),
        (512, 512),
    ],
    dtype=np.float64,
)
#: The neck's sides and the first row below the jaw that shows nothing but neck: x, y.
NECK = np.array(
    [(185, 160), (190, 170), (198, 177), (208, 182), (220, 184.5), (234, 184), (244, 179), (250, 172), (256, 164)]
)


def load() -> Picture:
    """The portrait, BGR, 512×512."""
    from skimage import data  # here, not above: it is only needed by who makes a performer

    return np.ascontiguousarray(data.astronaut()[:, :, ::-1])


def head(picture: Picture) -> Picture:
    """The head's pixels; every other one is painted like the nearest of the head, so that no room clings to it."""
    beyond: Weights = np.full(picture.shape[:2], 255, np.uint8)
    cv2.fillPoly(beyond, [np.round(np.concatenate([HAIR, JAW])).astype(np.int32)], 0)
    beyond = cv2.dilate(beyond, np.ones((5, 5), np.uint8))
    _, nearest = cv2.distanceTransformWithLabels(beyond, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    colours = np.zeros((nearest.max() + 1, 3), np.uint8)
    colours[nearest[beyond == 0]] = picture[beyond == 0]
    return np.asarray(colours[nearest])


def body(picture: Picture) -> tuple[Picture, Weights]:
    """The body without its head, and how much each pixel belongs to it (0 to 1).

    What the head hides in the portrait, the neck's upper part, is drawn from the neck's visible rim, darker upward as
    under a chin.
    """
    filled = picture.copy()
    columns = np.arange(int(NECK[0, 0]), int(NECK[-1, 0]) + 1)
    rims = np.interp(columns, NECK[:, 0], NECK[:, 1])
    rim = np.array([picture[round(y) : round(y) + 3, x].mean(axis=0) for x, y in zip(columns, rims, strict=True)])
    rim = cv2.GaussianBlur(rim.reshape(1, -1, 3), (0, 0), 3.0)[0]
    for x, y, colour in zip(columns, rims, rim, strict=True):
        rows = np.arange(0, round(y))
        shade = np.clip(1 - (y - rows) / 60, 0.45, 1.0)
        filled[: round(y), x] = colour * shade[:, None]
    mask = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(BODY * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return filled, cv2.GaussianBlur(mask, (0, 0), 0.8).astype(np.float32) / 255
