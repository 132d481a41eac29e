"""An engine and a finder that see what they are told to, for Vision's own decisions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from tests.unit.vision.heads import head, seen
from tests.unit.vision.pictures import encode
from workers.vision.finder import Found
from workers.vision.landmarks import Landmarks, Picture, Region
from workers.vision.pipeline import Vision

#: Where the face is, and where the finders say that it is.
PLACE = (320.0, 240.0)
FACE = Found(260.0, 180.0, 120.0, 120.0, 0.0, 0.95)


@dataclass
class FakeEngine:
    """Sees a face of `scale` pixels between the eyes at PLACE wherever it looks, as surely as it is told."""

    sureness: float = 0.99
    scale: float = 60.0
    least_sureness: float = 0.5
    region_scale: float = 1.6
    asked: list[Region] = field(default_factory=list)

    def locate(self, picture: Picture, region: Region) -> Landmarks:
        self.asked.append(region)
        points = seen(head(), scale=self.scale, at=PLACE)[:, :2].astype(np.float32)
        return Landmarks(points, Region(*PLACE, 3 * self.scale), self.sureness)


@dataclass
class FakeFinder:
    """Finds what it is told to, and counts how often it was asked."""

    found: list[Found] = field(default_factory=lambda: [FACE])
    asked: int = 0

    def find(self, picture: Picture) -> list[Found]:
        self.asked += 1
        return self.found


class Watched:
    """Vision over a fake engine and a fake finder, fed frame by frame."""

    def __init__(self, engine: FakeEngine | None = None, finder: FakeFinder | None = None) -> None:
        self.engine = engine or FakeEngine()
        self.finder = finder or FakeFinder()
        self.vision = Vision(self.engine, self.finder, None, 25_000_000)
        self.prior = None

    def __call__(self, at: float, picture: Callable[[], Picture] | None = None):
        """The observation of a frame that arrives at `at`."""
        pixels = picture() if picture else scene()
        observation, self.prior = self.vision.measure(encode(pixels), self.prior, at)
        return observation


def scene(level: int = 128, spread: int = 60) -> Picture:
    """A picture of 640 by 480 with a mean grey level and something to see in it."""
    x = np.linspace(-spread, spread, 32)
    row = np.clip(level + np.tile(x, 20), 0, 255)
    return np.repeat(np.repeat(row[None, :, None], 480, axis=0), 3, axis=2).astype(np.uint8)
