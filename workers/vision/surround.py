"""Finds a rim: straight edges that enclose a face, as those of a screen or a print held before the camera do.

There are edges behind a person too, of doors, windows and shelves. But the edges of a rim meet in corners and end there,
with the face between them, while the edges of a room run past each other or end behind the head and shoulders.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.vision.landmarks import Picture
from workers.vision.straight import Indices, Lines, Numbers, beside, senses

#: Grey levels of a small picture (height, width).
Grey = NDArray[np.uint8]
#: Longer side in pixels of the small picture that is searched.
SIDE = 200
#: Least and largest distance from the face at which an edge is searched, in the face's widths or heights.
_NEAR, _FAR = 0.05, 1.6
#: How far beyond the face's far end an enclosing edge must reach, in the face's heights or widths.
_PAST = 0.3
#: Stretch beyond a corner in which an edge must not go on: its end in the face's heights or widths, its start in pixels.
_BEYOND, _ROUND = 0.35, 3.0
#: Share of the score that is lost if all edges go on beyond their corners, and the share of an edge that counts as going on
#: if it leaves the picture there.
_LOST, _UNKNOWN = 0.5, 0.5


@dataclass(frozen=True, slots=True)
class Rim:
    """The three edges that best enclose a face on three sides."""

    #: How surely the three edges are a rim, 0 to 1.
    sureness: float
    #: Both ends (x, y) of each edge, in fractions of the picture's longer side; empty if fewer than three edges were found.
    sides: tuple[tuple[tuple[float, float], tuple[float, float]], ...] = ()


def shrunk(picture: Picture) -> Grey:
    """Shrink a colour picture (height, width, 3) to a grey one whose longer side is SIDE."""
    scale = SIDE / max(picture.shape[:2])
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)  # first, since one channel shrinks faster than three
    return np.asarray(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def rim(small: Grey, box: tuple[float, float, float, float]) -> Rim:
    """The best rim around a face in a picture that was `shrunk`.

    box: left, top, width and height of the face in fractions of the picture's longer side.
    """
    upright, level = senses(small)
    level = np.ascontiguousarray(level.T)
    left, top, width, height = (side * SIDE for side in box)
    lefts, rights = _both_sides(upright, left, width, top, height)
    tops, bottoms = _both_sides(level, top, height, left, width)
    under, over = top + (1 + _PAST) * height, top - _PAST * height
    before, behind = left + (1 + _PAST) * width, left - _PAST * width
    return max(
        _around(lefts, rights, tops, under, height),
        _around(lefts, rights, bottoms, over, height),
        _transposed(_around(tops, bottoms, lefts, before, width)),
        _transposed(_around(tops, bottoms, rights, behind, width)),
        key=lambda found: found.sureness,
    )


def _both_sides(
    sense: NDArray[np.float32], across: float, width: float, along: float, height: float
) -> tuple[Lines, Lines]:
    """The edges on either side of the face that cross its rows: those at lower columns first.

    across, width: the face's first column and its width; along, height: its first row and its height.
    """
    rows, columns = sense.shape
    before = max(1, int(across - _FAR * width)), max(0, int(across - _NEAR * width))
    behind = max(0, int(across + (1 + _NEAR) * width)), min(columns - 1, int(across + (1 + _FAR) * width))
    past = max(0, int(along - _NEAR * height)), min(rows, int(along + height))
    first, second = beside(sense, past, [before, behind])
    return first, second


def _around(one: Lines, other: Lines, across: Lines, far: float, size: float) -> Rim:
    """The best rim of an edge of `one`, an edge of `other`, and an edge of `across` that joins them.

    The first two cross the rows and must reach row `far`; size: the face's height along them.
    """
    if not (len(one.at) and len(other.at) and len(across.at)):
        return Rim(0.0)
    i, j, k = np.ix_(range(len(one.at)), range(len(other.at)), range(len(across.at)))
    legs, beyond, corners = [], [], []
    for lines, which in ((one, i), (other, j)):
        column, row = _corner(lines, which, across, k)
        outward = np.where(row < far, -1.0, 1.0)
        legs.append(lines.share(which, row, far, 0.0))
        beyond.append(lines.share(which, row + _ROUND * outward, row + _BEYOND * size * outward, _UNKNOWN))
        corners.append((column, row))
    (first, first_row), (second, second_row) = corners
    bar = across.share(k, first, second, 0.0)
    outward = np.where(first < second, -1.0, 1.0)
    beyond.append(across.share(k, first + _ROUND * outward, first + _BEYOND * size * outward, _UNKNOWN))
    beyond.append(across.share(k, second - _ROUND * outward, second - _BEYOND * size * outward, _UNKNOWN))
    sureness = np.cbrt(legs[0] * legs[1] * bar) * (1 - _LOST * sum(beyond) / len(beyond))
    a, b, c = np.unravel_index(int(sureness.argmax()), sureness.shape)
    ends = ((first[a, 0, c], first_row[a, 0, c]), (second[0, b, c], second_row[0, b, c]))
    feet = ((float(one.column(a, far)), far), (float(other.column(b, far)), far))
    sides = ((ends[0], feet[0]), (ends[1], feet[1]), ends)
    return Rim(float(sureness[a, b, c]), tuple((_fractions(start), _fractions(end)) for start, end in sides))


def _corner(lines: Lines, which: Indices, across: Lines, crossing: Indices) -> tuple[Numbers, Numbers]:
    """Columns and rows in which edges that cross the rows meet edges that cross the columns."""
    start = lines.column(which, 0.0)
    row = across.column(crossing, start) / (1 - lines.lean[which] * across.lean[crossing])
    return np.asarray(lines.column(which, row)), np.asarray(row)


def _fractions(point: tuple[float, float]) -> tuple[float, float]:
    """A point of the small picture, in fractions of the longer side."""
    return float(point[0]) / SIDE, float(point[1]) / SIDE


def _transposed(found: Rim) -> Rim:
    """The rim in the upright picture, from one that was found in the transposed picture."""
    return Rim(found.sureness, tuple(((b, a), (d, c)) for (a, b), (c, d) in found.sides))
