"""Face detectors that search a whole picture: BlazeFace, dlib's HOG detector, and a combination of both."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import dlib
import numpy as np

from workers.vision.landmarks import Picture, Region
from workers.vision.network import Runtime, load_network

MODEL_FILE = "face_detection_short_range.tflite"
#: Lowest score, 0 to 1, of a face that BlazeFace may have found, for which dlib's detector is asked too.
DOUBTFUL = 0.3


@dataclass(frozen=True, slots=True)
class Found:
    """A face that a finder detected: its box in pixels, its tilt clockwise in degrees, and the score, 0 to 1."""

    x: float
    y: float
    width: float
    height: float
    angle: float
    score: float

    def region(self, scale: float) -> Region:
        """The square around the box, whose side is `scale` times the box's longer side."""
        return Region(
            self.x + self.width / 2, self.y + self.height / 2, scale * max(self.width, self.height), self.angle
        )

    def overlap(self, other: Found) -> float:
        """Intersection over union of the two boxes, 0 to 1."""
        w = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        h = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        if w <= 0 or h <= 0:
            return 0.0
        return w * h / (self.width * self.height + other.width * other.height - w * h)


class Finder(Protocol):
    """A face detector. One object belongs to one thread."""

    def find(self, picture: Picture) -> list[Found]:
        """All faces in a picture (height, width, 3), the largest first."""


class BlazeFinder:
    """MediaPipe's short-range BlazeFace (Apache-2.0), which also finds turned and tilted heads."""

    #: Side of the model's input in pixels.
    _INPUT = 128
    #: Cells a side and anchors a cell of the model's two feature maps.
    _MAPS = ((16, 2), (8, 6))
    #: Boxes that overlap more than this are the same face.
    _SAME = 0.3

    #: Lowest score, 0 to 1, of a face that counts as found.
    SURE = 0.5

    def __init__(self, models: Path, least_score: float = SURE, *, runtime: Runtime | None = None) -> None:
        outputs = ("classificators", "regressors")
        self._network = load_network(models / MODEL_FILE, outputs, lowest=-1, runtime=runtime)
        self._least_score = least_score
        cells = []
        for side, anchors in self._MAPS:
            y, x = np.mgrid[0:side, 0:side]
            centres = np.stack([(x + 0.5) / side, (y + 0.5) / side], axis=-1).reshape(-1, 2)
            cells.append(np.repeat(centres, anchors, axis=0))
        self._anchors = np.concatenate(cells)

    def find(self, picture: Picture) -> list[Found]:
        """See `Finder.find`."""
        height, width = picture.shape[:2]
        longest = max(height, width)
        scale = self._INPUT / longest
        small = cv2.resize(
            picture, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=cv2.INTER_AREA
        )
        square = np.zeros((self._INPUT, self._INPUT, 3), np.uint8)
        square[: small.shape[0], : small.shape[1]] = small
        logits, boxes = self._network(square)
        logits = logits.ravel()
        sure = np.flatnonzero(logits > math.log(self._least_score / (1 - self._least_score)))
        sure = sure[np.argsort(-logits[sure])]
        boxes = boxes.reshape(-1, 16)[sure] / np.float32(self._INPUT)
        boxes[:, :2] += self._anchors[sure]
        boxes[:, 4:] += np.tile(self._anchors[sure], 6)
        found: list[Found] = []
        for box, logit in zip(boxes * longest, logits[sure], strict=True):
            x, y, w, h = box[:4]
            (rx, ry), (lx, ly) = box[4:6], box[6:8]
            face = Found(
                float(x - w / 2),
                float(y - h / 2),
                float(w),
                float(h),
                math.degrees(math.atan2(ly - ry, lx - rx)),
                1 / (1 + math.exp(-float(min(60.0, logit)))),
            )
            if all(face.overlap(other) < self._SAME for other in found):
                found.append(face)
        return sorted(found, key=lambda f: -f.width * f.height)


class SecondOpinion:
    """A fast finder, BlazeFace, which is backed by a slow one, dlib's detector, if the fast one is in doubt.

    dlib's detector takes longer than the rest of the pipeline together, so it must not search every picture without a
    face: it is asked only if BlazeFace gives some face at least the score DOUBTFUL, and none a sure one.
    """

    def __init__(self, first: Finder, second: Finder, sure: float = BlazeFinder.SURE) -> None:
        """first: the fast finder, which returns doubtful faces too; second: the slow one; sure: the score of a sure face."""
        self._first, self._second, self._sure = first, second, sure

    def find(self, picture: Picture) -> list[Found]:
        """See `Finder.find`."""
        found = self._first.find(picture)
        sure = [face for face in found if face.score >= self._sure]
        return sure if sure or not found else self._second.find(picture)


class DlibFinder:
    """dlib's HOG detector: slower, and for frontal faces only, but with hardly any false detections."""

    #: Longer side in pixels of the picture that is searched; the detector finds faces of at least 80 of these pixels.
    _SEARCHED = 480

    def __init__(self) -> None:
        self._detector = dlib.get_frontal_face_detector()

    def find(self, picture: Picture) -> list[Found]:
        """See `Finder.find`."""
        grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        scale = min(1.0, self._SEARCHED / max(grey.shape))
        if scale < 1:
            grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        boxes, scores, _ = self._detector.run(grey, 0, 0.0)
        found = [
            Found(b.left() / scale, b.top() / scale, b.width() / scale, b.height() / scale, 0.0, 1 - math.exp(-1 - s))
            for b, s in zip(boxes, scores, strict=True)
        ]
        return sorted(found, key=lambda f: -f.width * f.height)
