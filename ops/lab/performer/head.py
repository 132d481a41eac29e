"""The head: a closed 3-D surface over the portrait's pixels, with holes at the eyes and the mouth and what lies behind.

The mesh model gives the face's points their depth. Around them the hair is a bulge out to its outline, and behind the
outline the surface closes with the hair's own texture, mirrored: so there is hair to see when the head turns. Eyeballs,
teeth and the mouth's dark are surfaces of their own just behind the openings; the depth buffer hides them when lids
or lips meet. Closing lids have skin of their own, painted (`ops.lab.performer.paint`), since an open eye shows none of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay  # type: ignore[import-untyped]

from ops.lab.performer import landmarks as marks
from ops.lab.performer import paint, portrait
from ops.lab.performer.arrays import Indices, Points

#: Depth of the hair's outline, a little behind the ears, in the portrait's pixels.
_OUTLINE_DEPTH = 50.0
#: How the outline closes behind: shrunk to, deeper by, texture taken from inside the outline by.
_BACK_OF_HAIR = ((0.97, 22.0, 0.10), (0.88, 50.0, 0.25), (0.70, 75.0, 0.45), (0.35, 92.0, 0.70))
_BACK_OF_JAW = ((0.96, 9.0, 0.04), (0.86, 22.0, 0.06), (0.75, 30.0, 0.07), (0.50, 36.0, 0.08))
#: Where the jaw's edge lies from the mesh's oval, as a factor from the skull's middle: below the ears, under the chin.
_JAW_EDGE = (1.01, 1.05)
#: How far behind lids and lips the eyeballs, the teeth and the mouth's dark lie.
_EYEBALL, _TEETH, _CAVITY = 1.2, 5.0, 9.0
#: How far before its eye a closing lid's skin lies.
_LID = 3.0
#: How much larger than the openings they are, so that no gap shows at their rims when the head turns.
_WIDER, _HIGHER = 1.1, 1.35
_EYES = (
    (marks.RIGHT_EYE_UPPER, marks.RIGHT_EYE_LOWER),
    (marks.LEFT_EYE_UPPER, marks.LEFT_EYE_LOWER),
)


@dataclass(frozen=True)
class Head:
    """Vertices in the portrait's pixels (x right, y down, z away), triangles, and where each vertex's texture lies.

    The first 468 vertices are the mesh model's points; `rigid` is true for those that no expression moves by itself.
    """

    vertices: Points
    triangles: NDArray[np.int32]
    texture_at: Points
    rigid: NDArray[np.bool_]
    #: The mouth's dark follows the lips: its vertices, and the mesh point that each follows.
    cavity: Indices
    #: The skin of each closing lid, the right eye's first: its upper row, its lower row, the lid's mesh points.
    lids: tuple[Indices, Indices]


def build(points: Points) -> Head:
    """The head around the 468 `points`."""
    surface, outline = _surface(points)
    flat = surface[:, :2]
    triangles = Delaunay(flat).simplices
    middles = flat[triangles].mean(axis=1)
    keep = _inside(flat[outline], middles)
    for upper, lower in (*_EYES, (marks.INNER_UPPER_LIP, marks.INNER_LOWER_LIP)):
        ring = [*upper, *lower[-2:0:-1]]
        keep &= ~(_inside(points[ring, :2], middles) & np.isin(triangles, ring).all(axis=1))
    parts = _Parts(surface, triangles[keep])
    _close_behind(parts, outline)
    for upper, lower in _EYES:
        _behind(parts, points, (upper, lower), _EYEBALL, (_HIGHER, _HIGHER))
    _behind(parts, points, (marks.INNER_UPPER_LIP, marks.INNER_LOWER_LIP), _TEETH, (_HIGHER, 1.0))
    cavity = _cavity(parts, points)
    lids = (
        _lid(parts, points, marks.RIGHT_EYE_UPPER, paint.RIGHT_LID),
        _lid(parts, points, marks.LEFT_EYE_UPPER, paint.LEFT_LID),
    )
    vertices, texture_at, rigid = parts.stacked()
    return Head(vertices, parts.all_triangles(), texture_at, rigid, cavity, lids)


class _Parts:
    """Vertices and triangles, as they are added."""

    def __init__(self, surface: Points, triangles: NDArray[np.int32]) -> None:
        self.count = len(surface)
        self._vertices, self._texture = [surface], [surface[:, :2]]
        self._rigid = [np.zeros(len(surface), bool)]
        self._triangles = [triangles.astype(np.int32)]

    def add(self, vertices: Points, texture_at: Points, *, rigid: bool) -> Indices:
        """Adds vertices; returns their indices."""
        self._vertices.append(vertices)
        self._texture.append(texture_at)
        self._rigid.append(np.full(len(vertices), rigid))
        self.count += len(vertices)
        return np.arange(self.count - len(vertices), self.count)

    def strip(self, one: Indices, other: Indices) -> None:
        """Adds the triangles between two rows of vertices."""
        a, b, c, d = one[:-1], one[1:], other[:-1], other[1:]
        self._triangles.append(np.concatenate([np.stack([a, b, c], 1), np.stack([b, d, c], 1)]).astype(np.int32))

    def stacked(self) -> tuple[Points, Points, NDArray[np.bool_]]:
        """All vertices, their texture, and whether they are rigid."""
        return np.concatenate(self._vertices), np.concatenate(self._texture), np.concatenate(self._rigid)

    def all_triangles(self) -> NDArray[np.int32]:
        """All triangles."""
        return np.concatenate(self._triangles)


def _inside(polygon: Points, points: Points) -> NDArray[np.bool_]:
    """Which points lie inside a polygon (even-odd rule)."""
    x, y = points[:, 0:1], points[:, 1:2]
    x0, y0 = polygon.T
    x1, y1 = np.roll(polygon, -1, axis=0).T
    with np.errstate(divide="ignore", invalid="ignore"):
        crossed = ((y0 > y) != (y1 > y)) & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return np.asarray(crossed.sum(axis=1) % 2 == 1)


def _surface(points: Points) -> tuple[Points, Indices]:
    """The 468 points, then the hair and the jaw's edge around them; and the outline's indices, clockwise."""
    skull = np.array(portrait.SKULL)
    oval = points[list(marks.OVAL)]
    at = list(marks.OVAL)
    # Below the ears the outline is the jaw's edge; above, the hair's outline walked in even steps.
    jaw = points[at[at.index(288) : at.index(58) + 1]]
    edge = np.interp(jaw[:, 1], (152, 170), _JAW_EDGE)[:, None]
    jaw_edge = np.column_stack([skull + (jaw[:, :2] - skull) * edge, jaw[:, 2] + 4])
    hair = _resampled(portrait.HAIR, 44)
    hair = np.column_stack([hair, np.full(len(hair), _OUTLINE_DEPTH)])
    outline = np.concatenate([hair, jaw_edge])
    filler = []
    angles = _angle(oval[:, :2] - skull)
    order = np.argsort(angles)
    radii = np.linalg.norm(oval[:, :2] - skull, axis=1)
    for x, y, z in hair:
        angle, radius = float(_angle(np.array([[x, y]]) - skull)[0]), float(np.hypot(x - skull[0], y - skull[1]))
        inner = float(np.interp(angle, angles[order], radii[order], period=2 * np.pi))
        depth = float(np.interp(angle, angles[order], oval[order, 2], period=2 * np.pi))
        gap = radius - inner
        for part in (0.3, 0.6, 0.85):
            if gap * part > 5 and gap * (1 - part) > 2:
                r = (inner + gap * part) / radius
                bulge = depth + (z - depth) * (1 - np.sqrt(1 - part**2)) - 8 * np.sin(np.pi * part)
                filler.append((skull[0] + (x - skull[0]) * r, skull[1] + (y - skull[1]) * r, bulge))
    surface = np.concatenate([points, np.array(filler), outline])
    return surface, np.arange(len(surface) - len(outline), len(surface))


def _angle(vectors: Points) -> Points:
    return np.arctan2(vectors[:, 1], vectors[:, 0])


def _resampled(line: Points, count: int) -> Points:
    """`count` points at even steps along a line."""
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    at = np.linspace(0, along[-1], count)
    return np.column_stack([np.interp(at, along, line[:, 0]), np.interp(at, along, line[:, 1])])


def _close_behind(parts: _Parts, outline: Indices) -> None:
    """Closes the surface behind its outline, ring by ring; under the jaw with skin, elsewhere with hair."""
    rim = parts.stacked()[0][outline]
    middle = np.array([*portrait.SKULL])
    # 1 under the chin, 0 at the hair.
    jaw = np.clip((rim[:, 1] - 128) / 14, 0, 1)[:, None]
    last = np.append(outline, outline[0])
    for hair, under in zip(_BACK_OF_HAIR, _BACK_OF_JAW, strict=True):
        shrink, deeper, inward = (jaw * u + (1 - jaw) * h for h, u in zip(hair, under, strict=True))
        flat = middle + (rim[:, :2] - middle) * shrink
        ring = parts.add(
            np.column_stack([flat, rim[:, 2:] + deeper]), middle + (rim[:, :2] - middle) * (1 - inward), rigid=False
        )
        ring = np.append(ring, ring[0])
        parts.strip(last, ring)
        last = ring


def _behind(
    parts: _Parts,
    points: Points,
    rims: tuple[tuple[int, ...], tuple[int, ...]],
    depth: float,
    higher: tuple[float, float],
) -> None:
    """What shows in an opening, as in the portrait, but fixed to the skull, a little deeper and a little larger."""
    middle = points[[*rims[0], *rims[1]]].mean(axis=0)
    rows = []
    for rim, factor in zip(rims, higher, strict=True):
        at = middle + (points[list(rim)] - middle) * (_WIDER, factor, 1) + (0, 0, depth)
        rows.append(parts.add(at, at[:, :2], rigid=True))
    parts.strip(rows[0], rows[1])


def _lid(parts: _Parts, points: Points, rim: tuple[int, ...], where: paint.Area) -> Indices:
    """A lid's skin; it has no height until the lid closes."""
    at = points[list(rim)] - (0, 0, _LID)
    across = np.interp(at[:, 0], (at[0, 0], at[-1, 0]), (where.left, where.right))
    upper = parts.add(at, np.column_stack([across, np.full(len(rim), where.top)]), rigid=True)
    lower = parts.add(at, np.column_stack([across, np.full(len(rim), where.bottom)]), rigid=True)
    parts.strip(upper, lower)
    return np.array([upper, lower, rim])


def _cavity(parts: _Parts, points: Points) -> Indices:
    """The mouth's dark: it spans whatever opening the lips leave."""
    where = paint.CAVITY
    copies, rows = [], []
    for row, y in ((marks.INNER_UPPER_LIP, where.top), (marks.INNER_LOWER_LIP, where.bottom)):
        at = points[list(row)] + (0, 0, _CAVITY)
        texture_at = np.column_stack([np.linspace(where.left, where.right, len(row)), np.full(len(row), y)])
        rows.append(parts.add(at, texture_at, rigid=True))
        copies += list(zip(rows[-1], row, strict=True))
    parts.strip(rows[0], rows[1])
    return np.array(copies, dtype=np.int64).T
