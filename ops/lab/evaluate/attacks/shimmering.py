"""An animated photo whose pixels a program shifts a little all the time, in imitation of living skin."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

import cv2
import numpy as np

from ops.lab.evaluate.attacks.animated import Show, Style, animated, puppet_of
from ops.lab.evaluate.attacks.features import Expression
from ops.lab.evaluate.attacks.prints import Pose
from ops.lab.evaluate.attacks.studio import Studio
from ops.lab.evaluate.cases import Case
from workers.vision.landmarks import Picture, as_picture

#: Distance of the places that are shifted independently, in widths over both eyes.
_APART = (0.3, 0.7)
#: Standard deviation of the shifts, in widths over both eyes: a fraction of a pixel to two pixels.
_SHIFT = (0.005, 0.02)
#: Seconds in which a shift is forgotten.
_LASTS = (0.15, 0.6)


def shimmering_photo(studio: Studio) -> Iterator[Case]:
    """A photo that is animated as `animated_photo` is, under a smooth flow that nobody could predict."""

    def program(style: Style, chance: random.Random) -> Show | None:
        puppet = puppet_of(studio, style)
        if puppet is None:
            return None
        flow = Flow(puppet.photo, puppet.width_of_eyes, chance)

        def show(at: float, pose: Pose, expression: Expression) -> Picture:
            return flow.over(puppet.show(pose, expression), at)

        return show

    return animated(studio, "shimmering_photo", program)


class Flow:
    """Shifts of a picture's pixels: smooth over the picture, and a random walk back to nothing in time."""

    def __init__(self, like: Picture, width: float, chance: random.Random) -> None:
        """like: a picture of the size; width: that over both eyes, in pixels."""
        self._height, self._width = like.shape[:2]
        apart, self._shift = width * chance.uniform(*_APART), width * chance.uniform(*_SHIFT)
        self._lasts, self._at = chance.uniform(*_LASTS), 0.0
        self._random = np.random.default_rng(chance.randrange(1 << 30))
        self._nodes = self._random.normal(size=(max(3, int(self._height / apart)), max(3, int(self._width / apart)), 2))
        self._y, self._x = np.mgrid[0 : self._height, 0 : self._width].astype(np.float32)

    def over(self, picture: Picture, at: float) -> Picture:
        """The picture, shifted as it is at second `at`; to be called with rising seconds."""
        kept = math.exp(-(at - self._at) / self._lasts)
        self._nodes = kept * self._nodes + math.sqrt(1 - kept**2) * self._random.normal(size=self._nodes.shape)
        self._at = at
        size = (self._width, self._height)
        shifts = self._shift * cv2.resize(self._nodes.astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
        x, y = self._x + shifts[..., 0], self._y + shifts[..., 1]
        return as_picture(cv2.remap(picture, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE))
