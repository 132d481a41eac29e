"""The room behind the person: drawn once, and still."""

from __future__ import annotations

import cv2
import numpy as np

from ops.lab.performer.arrays import Picture


def draw(size: tuple[int, int], chance: np.random.Generator) -> Picture:
    """A wall with a shelf, a picture and a lamp's light, slightly out of focus, BGR."""
    width, height = size
    wall = np.empty((height, width, 3), np.float32)
    wall[:] = np.array([168, 176, 180]) + chance.uniform(-14, 14, 3)
    # Light from one side, and plaster: noise of several sizes.
    wall *= (
        np.linspace(0.82, 1.08, width)[None, :, None]
        if chance.random() < 0.5
        else np.linspace(1.08, 0.82, width)[None, :, None]
    )
    for cell, strength in ((64, 5.0), (16, 3.0), (4, 2.0)):
        grain = chance.standard_normal((height // cell + 2, width // cell + 2)).astype(np.float32)
        wall += strength * cv2.resize(grain, (width, height), interpolation=cv2.INTER_CUBIC)[:, :, None]
    room = np.clip(wall, 0, 255).astype(np.uint8)
    _shelf(room, chance)
    _picture(room, chance)
    return cv2.GaussianBlur(room, (0, 0), max(1.0, height / 300))


def _shelf(room: Picture, chance: np.random.Generator) -> None:
    """A shelf with books, on the right."""
    height, width = room.shape[:2]
    bottom, x = int(height * 0.42), int(width * 0.77)
    while x < width:
        thick, tall = int(width * chance.uniform(0.015, 0.035)), int(height * chance.uniform(0.16, 0.26))
        colour = tuple(int(c) for c in chance.uniform(40, 170, 3))
        cv2.rectangle(room, (x, bottom - tall), (x + thick - 2, bottom), colour, -1)
        x += thick
    cv2.rectangle(room, (int(width * 0.75), bottom), (width, bottom + height // 40), (58, 82, 104), -1)


def _picture(room: Picture, chance: np.random.Generator) -> None:
    """A framed picture, on the left."""
    height, width = room.shape[:2]
    left, top, right, bottom = int(width * 0.05), int(height * 0.14), int(width * 0.21), int(height * 0.42)
    cv2.rectangle(room, (left, top), (right, bottom), (52, 60, 66), -1)
    inset = max(3, width // 80)
    cv2.rectangle(room, (left + inset, top + inset), (right - inset, bottom - inset), (206, 212, 214), -1)
    for _ in range(4):
        middle = (
            int(chance.uniform(left + 3 * inset, right - 3 * inset)),
            int(chance.uniform(top + 3 * inset, bottom - 3 * inset)),
        )
        colour = tuple(int(c) for c in chance.uniform(70, 200, 3))
        cv2.circle(room, middle, inset * 2, colour, -1, cv2.LINE_AA)
