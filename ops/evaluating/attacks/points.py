"""Where eyes and mouth are in a photo, for the scissors: found by the mesh, whichever engine is being tried."""

from __future__ import annotations

from pathlib import Path

from workers.vision.finder import BlazeFinder
from workers.vision.landmarks import Picture, Points
from workers.vision.mesh import Mesh


class FacePoints:
    """The 68 points of the largest face."""

    def __init__(self, models: Path) -> None:
        self._finder = BlazeFinder(models)
        self._mesh = Mesh(models)

    def __call__(self, picture: Picture) -> Points | None:
        """None where there is no face."""
        found = self._finder.find(picture)
        if not found:
            return None
        landmarks = self._mesh.locate(picture, found[0].region(self._mesh.region_scale))
        if landmarks.sureness < self._mesh.least_sureness:
            return None
        # Once more from its own region, as in tracking: a finder's box is rough.
        return self._mesh.locate(picture, landmarks.region).points
