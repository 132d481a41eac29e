"""Landmarks by MediaPipe's face mesh (`face_landmark.tflite`, Apache-2.0), the default engine."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np

from workers.vision.landmarks import Landmarks, Picture, Points, Region, as_picture, region_map
from workers.vision.network import Runtime, load_network

MODEL_FILE = "face_landmark.tflite"

#: Side of the model's input in pixels.
_INPUT = 192
#: Names of the outputs: 468 points with depth in the input's pixels, and the logit that there is a face.
_POINTS, _SCORE = "conv2d_20", "conv2d_30"
#: Side of the next frame's region, in sides of the points' bounding square (MediaPipe's own figure).
_REGION_SCALE = 1.5
#: Vertices at the outer corners of the person's right and left eye, which give the region's angle.
_EYE_LINE = (33, 263)

#: Vertex of the mesh for each of the 68 points of iBUG 300-W. The vertices for the jaw are on the face's silhouette, and no
#: measure depends on them.
# fmt: off
MESH_TO_68 = np.array([
    127, 234, 93, 132, 58, 172, 150, 176, 152, 400, 379, 397, 288, 361, 323, 454, 356,  # jaw
    70, 63, 105, 66, 107,  336, 296, 334, 293, 300,  # brows: right, left
    168, 197, 5, 4,  98, 97, 2, 326, 327,  # nose: bridge, base
    33, 160, 158, 133, 153, 144,  362, 385, 387, 263, 373, 380,  # eyes: right, left
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181,  # outer lips
    78, 81, 13, 311, 308, 402, 14, 178,  # inner lips
])
# fmt: on


class Mesh:
    """The mesh as a landmark engine: finds 468 vertices with depth and returns the 68 that all engines share."""

    least_sureness = 0.5
    region_scale = 1.6

    def __init__(self, models: Path, runtime: Runtime | None = None) -> None:
        self._network = load_network(models / MODEL_FILE, (_POINTS, _SCORE), runtime=runtime)

    def locate(self, picture: Picture, region: Region) -> Landmarks:
        """Find the points of the face in `region`, see `LandmarkEngine.locate`."""
        mesh, sureness = self.vertices(picture, region)
        common = mesh[MESH_TO_68]
        return Landmarks(common[:, :2].copy(), region_around(mesh), sureness, solid=common)

    def vertices(self, picture: Picture, region: Region) -> tuple[Points, float]:
        """All vertices (468, 3) of the face in `region`, in the picture's pixels, and their sureness, 0 to 1."""
        to_input = region_map(region, _INPUT)
        crop = as_picture(
            cv2.warpAffine(picture, to_input, (_INPUT, _INPUT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        )
        points, score = self._network(crop)
        solid = points.reshape(-1, 3)
        back = cv2.invertAffineTransform(to_input)
        mesh = np.empty((468, 3), dtype=np.float32)
        mesh[:, :2] = solid[:, :2] @ back[:, :2].T + back[:, 2]
        mesh[:, 2] = solid[:, 2] * (region.side / _INPUT)
        return mesh, 1 / (1 + math.exp(-min(60.0, max(-60.0, float(score.ravel()[0])))))


def region_around(mesh: Points) -> Region:
    """The region to search in the next frame, from the vertices (468, 3) in this one."""
    right, left = mesh[_EYE_LINE[0]], mesh[_EYE_LINE[1]]
    angle = math.degrees(math.atan2(left[1] - right[1], left[0] - right[0]))
    low, high = mesh[:, :2].min(axis=0), mesh[:, :2].max(axis=0)
    centre = (low + high) / 2
    return Region(float(centre[0]), float(centre[1]), float((high - low).max()) * _REGION_SCALE, angle)
