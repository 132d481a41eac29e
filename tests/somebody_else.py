"""A second face. scikit-image has only one: this is the same, bent and painted until the descriptor does not know it."""

from __future__ import annotations

import cv2
import numpy as np
import skimage.data

from workers.vision.landmarks import Picture


def somebody_else() -> Picture:
    """The portrait with another nose, mouth, skin, brows, and a beard."""
    photo = np.ascontiguousarray(skimage.data.astronaut()[:, :, ::-1])
    height, width = photo.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    across, down = (x - 225) / 60, (y - 121) / 70
    near = np.exp(-(across**2 + down**2))
    x, y = x - 18 * np.sin(1.8 * across) * near, y - 14 * np.sin(2.2 * down) * near
    bent = cv2.remap(photo, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    grey = cv2.cvtColor(bent, cv2.COLOR_BGR2GRAY).astype(np.float32)
    skin = np.dstack([grey * 0.45, grey * 0.6, grey * 0.85])
    dark = np.zeros((height, width), np.float32)
    for centre, axes, angle, depth in (
        ((224, 165), (36, 26), 0, 0.75),
        ((224, 152), (14, 7), 0, 0.0),
        ((205, 100), (16, 4), -8, 0.8),
        ((246, 98), (16, 4), 8, 0.8),
    ):
        cv2.ellipse(dark, centre, axes, angle, 0, 360, depth, -1)
    dark = cv2.GaussianBlur(dark, (0, 0), 2.5)[..., None]
    return (skin * (1 - dark)).clip(0, 255).astype(np.uint8)
