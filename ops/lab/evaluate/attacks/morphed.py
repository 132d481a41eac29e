"""Two photos of a target that a program turns into each other, shapes and colours together; a fade has colours only."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import count

import cv2
import numpy as np
from numpy.typing import NDArray

from ops.lab.evaluate.attacks.features import smooth
from ops.lab.evaluate.attacks.moving import Hand, Prompted
from ops.lab.evaluate.attacks.prints import show
from ops.lab.evaluate.attacks.stack import one_each, several
from ops.lab.evaluate.attacks.studio import Studio, taken
from ops.lab.evaluate.cases import Case, Types
from ops.lab.evaluate.player import Source
from ops.lab.evaluate.video import Shot, encoded
from shared.liveness.challenge import ChallengeType
from workers.vision.landmarks import Picture, Points, as_picture

#: Seconds that one way takes, from the prompt to the beginning of the first way, and at the gesture's peak.
_WAY, _THERE, _STAY = (0.35, 0.8), 1.2, 0.5
#: Seconds after which it all starts over.
_PERIOD = 3.4
#: Share of the sessions in which the film is injected, without a hand that holds a screen.
_INJECTED = 0.4
#: Every so many of the 468 vertices are moved: as fine as their places are sure.
_EVERY = 2

_Places = NDArray[np.float32]


def morphed_photos(studio: Studio) -> Iterator[Case]:
    """The neutral photo, morphed into the one that is asked for and back, on a screen in a hand or injected."""

    @cache
    def morph(gesture: ChallengeType) -> Morph | None:
        ends = studio.neutral(), studio.photo(gesture)
        vertices = [studio.solid(photo) for photo in ends]
        return None if vertices[0] is None or vertices[1] is None else Morph(ends, (vertices[0], vertices[1]))

    def source(detail: str, types: Types) -> Source:
        chance, grain = studio.chance("morphed_photos", detail), studio.grain("morphed_photos", detail)
        hand, way, injected = Hand.by(chance), chance.uniform(*_WAY), chance.random() < _INJECTED
        prompted = Prompted(types)
        for i in count():
            at = i / studio.fps
            picture = studio.neutral()
            if prompted.challenge is not None:
                between = morph(prompted.challenge)
                if between is None:
                    return
                picture = between.show(_share(at - prompted.since, way))
            reply = yield Shot(encoded(picture)) if injected else taken(show(picture, hand.hold(at)), grain)
            prompted.hear(reply, at)

    yield from one_each(studio, "morphed_photos", studio.target.gestures, source)
    yield from several(studio, "morphed_photos", studio.target.gestures, source)


def _share(second: float, way: float) -> float:
    """How far the first photo has become the second, so many seconds after the prompt."""
    second = second % _PERIOD - _THERE
    there, back = smooth(np.array([second / way, (second - way - _STAY) / way])).tolist()
    return float(there - back)


class Morph:
    """Two photos of one size, with the vertices (468, 3) of the face in each."""

    def __init__(self, photos: tuple[Picture, Picture], vertices: tuple[Points, Points]) -> None:
        self._photos = photos
        height, width = photos[0].shape[:2]
        rim = [(x, y) for x in (0, width / 2, width - 1) for y in (0, height / 2, height - 1) if x or y]
        self._ends = [np.concatenate([v[::_EVERY, :2], rim]).astype(np.float32) for v in vertices]
        self._triangles = _triangles((self._ends[0] + self._ends[1]) / np.float32(2), width, height)
        self._y, self._x = np.mgrid[0:height, 0:width].astype(np.float32)

    def show(self, share: float) -> Picture:
        """The picture in between: the first photo at 0, the second at 1."""
        if share in (0.0, 1.0):
            return self._photos[int(share)]
        places = ((1 - share) * self._ends[0] + share * self._ends[1]).astype(np.float32)
        first, second = (self._moved(photo, end, places) for photo, end in zip(self._photos, self._ends, strict=True))
        return as_picture(cv2.addWeighted(first, 1 - share, second, share, 0))

    def _moved(self, photo: Picture, end: _Places, places: _Places) -> Picture:
        """The photo with what is at `end` moved to `places`, in each triangle by an affine map."""
        which = np.zeros(photo.shape[:2], np.int32)
        maps = np.zeros((len(self._triangles) + 1, 2, 3), np.float32)
        maps[0] = [(1, 0, 0), (0, 1, 0)]
        for n, corners in enumerate(self._triangles, 1):
            cv2.fillConvexPoly(which, np.rint(places[corners]).astype(np.int32), n)
            maps[n] = cv2.getAffineTransform(places[corners], end[corners])
        a = maps[which]
        x = a[..., 0, 0] * self._x + a[..., 0, 1] * self._y + a[..., 0, 2]
        y = a[..., 1, 0] * self._x + a[..., 1, 1] * self._y + a[..., 1, 2]
        return as_picture(cv2.remap(photo, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _triangles(places: _Places, width: int, height: int) -> list[list[int]]:
    """Delaunay's triangles over places, as three indices each."""
    plane = cv2.Subdiv2D((-width, -height, 3 * width, 3 * height))
    index: dict[tuple[float, float], int] = {}
    for n, (x, y) in enumerate(places.tolist()):
        plane.insert((x, y))
        index[x, y] = n
    found = []
    for x0, y0, x1, y1, x2, y2 in np.asarray(plane.getTriangleList()).tolist():
        three = (x0, y0), (x1, y1), (x2, y2)
        if all(place in index for place in three):  # others have a corner outside the picture
            found.append([index[place] for place in three])
    return found
