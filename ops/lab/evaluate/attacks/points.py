"""Where eyes and mouth are in a photo, for the scissors: found by the mesh, whichever engine is being tried."""

from __future__ import annotations

from pathlib import Path

from workers.vision.finder import BlazeFinder
from workers.vision.landmarks import Picture, Points
from workers.vision.mesh import MESH_TO_68, Mesh, region_around


class FacePoints:
    """The 68 points of the largest face."""

    def __init__(self, models: Path) -> None:
        self._finder = BlazeFinder(models)
        self._mesh = Mesh(models)

    def __call__(self, picture: Picture) -> Points | None:
        """None where there is no face."""
        mesh = self.solid(picture)
        return None if mesh is None else mesh[MESH_TO_68, :2].copy()

    def solid(self, picture: Picture) -> Points | None:
        """All of the mesh's vertices (468, 3), with depth, in the picture's pixels; None where there is no face."""
        found = self._finder.find(picture)
        if not found:
            return None
        mesh, sureness = self._mesh.vertices(picture, found[0].region(self._mesh.region_scale))
        if sureness < self._mesh.least_sureness:
            return None
        # Once more from its own region, as in tracking: a finder's box is rough.
        return self._mesh.vertices(picture, region_around(mesh))[0]
