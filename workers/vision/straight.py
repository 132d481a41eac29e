"""Finds straight edges that run past a face, and measures which share of their length is visible.

An edge consists of pixels in one line at which brightness changes steeply across the edge and hardly along it, always in the
same sense (rising or falling). Hair and clothes have steep places too, but not in one line.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import cv2.typing
import numpy as np
from numpy.typing import NDArray

#: Leans of an edge that are tried, in columns a row: up to 10 degrees to either side, in steps of 2 degrees.
_LEANS = np.tan(np.radians(np.arange(-10.0, 10.1, 2.0)))
#: Least slope across an edge in grey levels a pixel, and the largest slope along it as a share of the slope across.
_STEP, _ALONG = 4.0, 0.5
#: Least visible share of an edge's way past the face, and how many of the best edges are kept on each side of the face.
_PRESENT, _KEPT = 0.5, 4
#: Distance in pixels up to which two edges are the same.
_SAME = 2
#: Shortest length in pixels on which an edge can be told from chance.
_LEAST = 4

Numbers = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Lines:
    """Edges on one side of a face that cross the picture's rows: upright ones, or level ones of a transposed picture."""

    #: Column of each edge in row `middle` (edges,), and the columns that it moves by from row to row (edges,).
    at: Numbers
    lean: Numbers
    middle: float
    #: In how many of the rows above each row an edge is visible (edges, rows + 1): a cumulative sum.
    visible: NDArray[np.int32]

    def column(self, which: Indices | np.intp, row: Numbers | float) -> Numbers:
        """The columns in which the edges `which` cross the rows `row`; both are broadcast against each other."""
        return np.asarray(self.at[which] + self.lean[which] * (row - self.middle))

    def share(self, which: Indices, one: Numbers | float, other: Numbers | float, unknown: float) -> Numbers:
        """The visible share, 0 to 1, of the edges `which` between two rows.

        unknown: the share of a stretch that is too short, or not in the picture.
        """
        last = self.visible.shape[1] - 1
        ends = [
            np.clip(np.rint(row), 0, last).astype(np.intp) for row in (np.minimum(one, other), np.maximum(one, other))
        ]
        length = ends[1] - ends[0]
        visible = self.visible[which, ends[1]] - self.visible[which, ends[0]]
        return np.where(length < _LEAST, unknown, visible / np.maximum(length, 1))


def senses(grey: cv2.typing.MatLike) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Upright and level edges of a grey picture, as two masks (height, width).

    A mask is 1 where brightness rises across an edge, to the right or downward, -1 where it falls, and 0 elsewhere.
    """
    smooth = cv2.GaussianBlur(grey, (3, 3), 0)
    right = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 4)
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 4)
    return _sense(right, down), _sense(down, right)


def _sense(across: cv2.typing.MatLike, along: cv2.typing.MatLike) -> NDArray[np.float32]:
    steep = np.abs(across)
    edge = (steep > _STEP) & (np.abs(along) < _ALONG * steep)
    return np.where(edge, np.sign(across), np.float32(0))


def beside(sense: NDArray[np.float32], past: tuple[int, int], places: list[tuple[int, int]]) -> list[Lines]:
    """The edges that run past a face, in each of several ranges of columns.

    sense: a mask that `senses` gave. past: first and last row of the face; only these rows are searched. places: first and
    last column of each range.
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
        # Of each column: the share that rises less the share that falls, and both shares together.
        balance = cv2.reduce(straight, 0, cv2.REDUCE_AVG)[0]
        total = cv2.reduce(np.abs(straight), 0, cv2.REDUCE_AVG)[0]
        for sense_of, shares in ((1, (total + balance) / 2), (-1, (total - balance) / 2)):
            for (first, last), edges in zip(places, found, strict=True):
                if last - first >= 2:
                    best = first + int(shares[first:last].argmax())
                    edges.append((float(shares[best]), best, -float(lean), sense_of))
    return [_lines(sense, _best(edges), past[0] + middle) for edges in found]


def _best(edges: list[tuple[float, int, float, int]]) -> list[tuple[float, int, float, int]]:
    """The few best edges, without duplicates."""
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
    visible = inside & (sense[np.arange(rows), column.clip(0, columns - 1)] == sense_of[:, None])
    counted = np.zeros((len(at), rows + 1), np.int32)
    np.cumsum(visible, axis=1, out=counted[:, 1:])
    return Lines(at, lean, middle, counted)
