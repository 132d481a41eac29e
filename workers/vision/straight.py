"""Straight edges that run past a face, and how much of their way is really there.

An edge counts where the picture rises or falls steeply across it and hardly along it, always in the same sense: hair and
clothes have steep places, but not along one line.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import cv2.typing
import numpy as np
from numpy.typing import NDArray

#: Columns a row by which an edge may lean (10 degrees), and the steps in which leaning is tried.
_LEANS = np.tan(np.radians(np.arange(-10.0, 10.1, 2.0)))
#: Grey levels a pixel that an edge rises by, and the most that the picture may rise along it, as a share of that.
_STEP, _ALONG = 4.0, 0.5
#: Share of its way past the face that an edge must be there, and how many of the best are looked at on each side.
_PRESENT, _KEPT = 0.5, 4
#: Edges this near to each other are the same one, in pixels.
_SAME = 2
#: The shortest way on which an edge can be told from chance, in pixels.
_LEAST = 4

Numbers = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Lines:
    """Edges on one side of a face, which cross a picture's rows: upright ones, or level ones in a transposed picture."""

    #: Column of each edge in row `middle`, and the columns that it goes on by from row to row.
    at: Numbers
    lean: Numbers
    middle: float
    #: (edges, rows + 1): in how many of the rows above each one the edge is there.
    there: NDArray[np.int32]

    def column(self, which: Indices | np.intp, row: Numbers | float) -> Numbers:
        """Where edges cross rows."""
        return np.asarray(self.at[which] + self.lean[which] * (row - self.middle))

    def share(self, which: Indices, one: Numbers | float, other: Numbers | float, unknown: float) -> Numbers:
        """How much of their way between two rows edges are there, 0 to 1; `unknown` where that way is not in the picture."""
        last = self.there.shape[1] - 1
        ends = [
            np.clip(np.rint(row), 0, last).astype(np.intp) for row in (np.minimum(one, other), np.maximum(one, other))
        ]
        way = ends[1] - ends[0]
        found = self.there[which, ends[1]] - self.there[which, ends[0]]
        return np.where(way < _LEAST, unknown, found / np.maximum(way, 1))


def senses(grey: cv2.typing.MatLike) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where a grey picture has upright edges, and where level ones: 1 where it rises there, -1 where it falls, else 0."""
    smooth = cv2.GaussianBlur(grey, (3, 3), 0)
    right = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 4)
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 4)
    return _sense(right, down), _sense(down, right)


def _sense(across: cv2.typing.MatLike, along: cv2.typing.MatLike) -> NDArray[np.float32]:
    steep = np.abs(across)
    edge = (steep > _STEP) & (np.abs(along) < _ALONG * steep)
    return np.where(edge, np.sign(across), np.float32(0))


def beside(sense: NDArray[np.float32], past: tuple[int, int], places: list[tuple[int, int]]) -> list[Lines]:
    """The edges that run past a face, for each of some ranges of columns.

    sense: of `senses`. past: the rows that the face lies in; these alone are searched.
    """
    columns = sense.shape[1]
    past = past[0], max(past)
    places = [(first, min(last, columns)) for first, last in places]
    middle = (past[1] - past[0]) / 2
    band = sense[past[0] : past[1]]
    found: list[list[tuple[float, int, float, int]]] = [[] for _ in places]
    for lean in _LEANS if len(band) >= 2 * _LEAST else ():
        shear = np.array([[1, lean, -lean * middle], [0, 1, 0]])
        straight = cv2.warpAffine(band, shear, (columns, len(band)), flags=cv2.INTER_LINEAR)
        more_rises = cv2.reduce(straight, 0, cv2.REDUCE_AVG)[0]
        both = cv2.reduce(np.abs(straight), 0, cv2.REDUCE_AVG)[0]
        for sense_of, shares in ((1, (both + more_rises) / 2), (-1, (both - more_rises) / 2)):
            for (first, last), edges in zip(places, found, strict=True):
                if last - first >= 2:
                    best = first + int(shares[first:last].argmax())
                    edges.append((float(shares[best]), best, -float(lean), sense_of))
    return [_lines(sense, _best(edges), past[0] + middle) for edges in found]


def _best(edges: list[tuple[float, int, float, int]]) -> list[tuple[float, int, float, int]]:
    """The surest few edges, each only once."""
    kept: list[tuple[float, int, float, int]] = []
    for edge in sorted(edges, reverse=True):
        if edge[0] <= _PRESENT or len(kept) == _KEPT:
            break
        if all(abs(edge[1] - other[1]) > _SAME for other in kept):
            kept.append(edge)
    return kept


def _lines(sense: NDArray[np.float32], edges: list[tuple[float, int, float, int]], middle: float) -> Lines:
    rows, columns = sense.shape
    _, at, lean, sense_of = np.array(edges, np.float64).reshape(-1, 4).T
    column = np.rint(at[:, None] + lean[:, None] * (np.arange(rows) - middle)).astype(np.intp)
    inside = (column >= 0) & (column < columns)
    there = inside & (sense[np.arange(rows), column.clip(0, columns - 1)] == sense_of[:, None])
    counted = np.zeros((len(at), rows + 1), np.int32)
    np.cumsum(there, axis=1, out=counted[:, 1:])
    return Lines(at, lean, middle, counted)
