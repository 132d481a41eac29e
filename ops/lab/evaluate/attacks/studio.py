"""What the makers of attacks work with."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2

from ops.lab.evaluate.attacks.grain import Grain
from ops.lab.evaluate.cases import Case, Types
from ops.lab.evaluate.manifest import Person
from ops.lab.evaluate.player import Source
from ops.lab.evaluate.video import Shot, encoded, picture_at
from shared.liveness.challenge import ChallengeType
from workers.vision.landmarks import Picture, Points, as_picture


@dataclass(frozen=True, slots=True)
class Studio:
    """One target, the others there are, and the tools."""

    target: Person
    others: Sequence[Person]
    fps: float
    seed: int
    #: The 68 points of the one face in a picture; None where there is none.
    points: Callable[[Picture], Points | None]
    #: The 468 vertices of the mesh of the one face in a picture, with depth; None where there is none.
    solid: Callable[[Picture], Points | None]

    def chance(self, *what: object) -> random.Random:
        """Chance of its own for each thing, the same in every run."""
        return random.Random(f"{self.seed}:{self.target.name}:{what}")  # noqa: S311 - repeatable, not secret

    def grain(self, *what: object) -> Grain:
        """Noise of its own for each session."""
        return Grain(self.chance("grain", *what).randrange(1 << 30))

    def neutral(self) -> Picture:
        """A photo of the target doing nothing; before its first gesture, where nothing else was recorded."""
        if self.target.neutral:
            segment = self.target.neutral[0]
            return picture_at(segment, (segment.start + segment.end) / 2)
        segment = self.target.segments[0]
        return picture_at(segment, segment.start)

    def peak(self, gesture: ChallengeType) -> Picture:
        """A photo of the target in the middle of a gesture."""
        segment = self.target.gestures[gesture][0]
        return picture_at(segment, segment.peak)

    def photo(self, gesture: ChallengeType) -> Picture:
        """A photo of the target in the middle of a gesture, in the size of the neutral photo."""
        peak, size = self.peak(gesture), self.neutral().shape[1::-1]
        return peak if peak.shape[1::-1] == size else as_picture(cv2.resize(peak, size))

    def case(
        self, species: str, detail: str, count: int, accept: Callable[[Types], bool], make: Callable[[Types], Source]
    ) -> Case:
        """An attack on the target."""
        return Case("attack", self.target.name, detail, count, accept, make, species=species)


def taken(picture: Picture, grain: Grain) -> Shot:
    """The picture as a client sends it when a camera has seen it."""
    return Shot(encoded(grain.over(picture)))
