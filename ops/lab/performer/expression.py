"""What lids, lips, jaw and brows do to the head's surface.

Each is a smooth field of shifts over the vertices, worked out once for the portrait. The portrait smiles with its
teeth; the neutral face is made from it by drawing the mouth's corners in and the lips together.
"""

from __future__ import annotations

import numpy as np

from ops.lab.performer import landmarks as marks
from ops.lab.performer.arrays import Indices, Points
from ops.lab.performer.head import Head
from ops.lab.performer.pose import Pose

#: Skin this far above the upper lid still moves when it closes, in the portrait's pixels.
_LID_SKIN = 9.0
#: Part of the way at which the lids meet, from above.
_LIDS_MEET = 1.0
#: How far above an open eye the skin of its closing lid begins, once it is closed.
_CREASE = 3.5
#: How far closed lashes hang below the line where the lids meet.
_LASHES_BELOW = 0.8
#: How far each mouth's corner lies further out and up in the portrait's smile than at rest.
_CORNER_OUT, _CORNER_UP, _CORNER_BACK = 4.2, 5.0, 2.0
#: How far the lips' middles close at rest, upper and lower.
_LIP_DOWN, _LIP_UP = 2.4, 3.9
#: Where the jaw hangs, and how far it turns at most, in radians.
_HINGE_Y, _HINGE_Z = 118.0, 42.0
_JAW_TURN = 0.62
#: How far raised brows rise, in the portrait's pixels, and how far from them skin goes along.
_BROWS_UP, _BROWS_REACH = 6.0, 11.0


class Expressions:
    """Moves a head's vertices as a pose says."""

    def __init__(self, head: Head) -> None:
        self._head = head
        base = head.vertices
        self._moving = ~head.rigid
        self._right_lid = self._lid_field(base, marks.RIGHT_EYE_UPPER, marks.RIGHT_EYE_LOWER)
        self._left_lid = self._lid_field(base, marks.LEFT_EYE_UPPER, marks.LEFT_EYE_LOWER)
        self._rest = self._rest_field(base)
        self._jaw = self._jaw_weights(base)
        self._brows = self._brow_field(base)

    def apply(self, pose: Pose) -> Points:
        """The vertices with the pose's expression, the head not yet turned."""
        moved = self._head.vertices + self._rest * (1 - pose.smile)
        if pose.jaw:
            angle = pose.jaw * _JAW_TURN * self._jaw
            sin, cos = np.sin(angle), np.cos(angle)
            y, z = moved[:, 1] - _HINGE_Y, moved[:, 2] - _HINGE_Z
            moved[:, 1] = _HINGE_Y + y * cos - z * sin
            moved[:, 2] = _HINGE_Z + y * sin + z * cos
        moved[:, 1] += self._right_lid * pose.right_lid + self._left_lid * pose.left_lid - self._brows * pose.brows
        # The mouth's dark spans the opening and a little more, so that no gap shows when the head turns.
        dark, lips = self._head.cavity
        at = moved[lips, :2]
        moved[dark, :2] = at + (at - at.mean(axis=0)) * 0.12
        for closed, (top, bottom, rim) in zip((pose.right_lid, pose.left_lid), self._head.lids, strict=True):
            moved[bottom, :2] = moved[rim, :2] + (0, _LASHES_BELOW * closed)
            rise = (moved[rim, 1] - self._head.vertices[rim, 1]) + _CREASE * closed * self._arch(rim)
            moved[top, 0] = moved[rim, 0]
            moved[top, 1] = moved[rim, 1] - rise
        return moved

    def _arch(self, rim: Indices) -> Points:
        """0 at an eye's corners, 1 in its middle."""
        x = self._head.vertices[rim, 0]
        across = (x - x[0]) / (x[-1] - x[0]) * 2 - 1
        return np.asarray(np.sqrt(np.clip(1 - across**2, 0, 1)))

    def _lid_field(self, base: Points, upper: tuple[int, ...], lower: tuple[int, ...]) -> Points:
        """How far down each vertex goes when this eye is closed."""
        x, y = base[:, 0], base[:, 1]
        above = np.interp(x, base[list(upper), 0], base[list(upper), 1])
        below = np.interp(x, base[list(lower), 0], base[list(lower), 1])
        height = below - above
        down = np.clip(1 - (above - y) / _LID_SKIN, 0, 1) * (y <= above + 0.01) * height * _LIDS_MEET
        up = np.clip(1 - (y - below) / _LID_SKIN, 0, 1) * (y >= below - 0.01) * height * (1 - _LIDS_MEET)
        at_eye = (x >= base[upper[0], 0]) & (x <= base[upper[-1], 0])
        return np.asarray((down - up) * at_eye * self._moving)

    def _brow_field(self, base: Points) -> Points:
        """How far up each vertex goes with raised brows: with the nearest of them, less the farther away; no eye goes."""
        brows = base[list(marks.BROWS), :2]
        away = np.linalg.norm(base[:, None, :2] - brows[None], axis=2).min(axis=1)
        lids = base[list(marks.RIGHT_EYE_UPPER + marks.LEFT_EYE_UPPER), :2]
        above = np.clip((np.interp(base[:, 0], *lids.T) - base[:, 1]) / _LID_SKIN, 0, 1)
        return np.asarray(_BROWS_UP * np.exp(-((away / _BROWS_REACH) ** 2)) * above * self._moving)

    def _rest_field(self, base: Points) -> Points:
        """From the portrait's smile to a resting, closed mouth."""
        right, left = base[61], base[291]
        middle, half = (right[0] + left[0]) / 2, (left[0] - right[0]) / 2
        line = (right[1] + left[1]) / 2 + 2
        across = (base[:, 0] - middle) / half
        beyond = np.clip(np.abs(across) - 1, 0, None) * half
        near = np.exp(-((beyond / 15) ** 2) - ((base[:, 1] - line) / 20) ** 2)
        field = np.zeros_like(base)
        side = np.clip(across, -1, 1)
        field[:, 0] = -_CORNER_OUT * side * near
        field[:, 1] = _CORNER_UP * side**2 * near
        field[:, 2] = -_CORNER_BACK * side**2 * near
        # The lips close most in their middle; the skin above and the chin below follow less and less.
        taper = np.clip(1 - side**2, 0, 1)
        mid_upper, mid_lower = base[13, 1], base[14, 1]
        upper = np.clip(1 - (mid_upper - base[:, 1]) / 16, 0, 1) * (base[:, 1] < (mid_upper + mid_lower) / 2)
        lower = np.clip(1 - (base[:, 1] - mid_lower) / 26, 0, 1) * (base[:, 1] >= (mid_upper + mid_lower) / 2)
        is_upper = np.isin(np.arange(len(base)), marks.UPPER_LIP + marks.INNER_UPPER_LIP)
        is_lower = np.isin(np.arange(len(base)), marks.LOWER_LIP + marks.INNER_LOWER_LIP)
        upper, lower = np.where(is_upper, 1.0, upper * ~is_lower), np.where(is_lower, 1.0, lower * ~is_upper)
        field[:, 1] += taper * (_LIP_DOWN * upper - _LIP_UP * lower)
        # Above all the inner lips must meet exactly, or teeth would show in a closed mouth.
        for top, bottom in zip(marks.INNER_UPPER_LIP, marks.INNER_LOWER_LIP, strict=True):
            both = [top, bottom]
            met = (base[both] + field[both]).mean(axis=0)
            field[both] = met - base[both]
        return field * self._moving[:, None]

    def _jaw_weights(self, base: Points) -> Points:
        """How much of the jaw's turn each vertex takes, 0 to 1."""
        right, left = base[61], base[291]
        middle, half = (right[0] + left[0]) / 2, (left[0] - right[0]) / 2
        across = np.abs(base[:, 0] - middle) / half
        step = np.clip((base[:, 1] - (right[1] + left[1]) / 2) / 16, 0, 1)
        weights = step * step * (3 - 2 * step)
        # The back of the head and the hair do not hang on the jaw.
        weights *= np.clip((60 - base[:, 2]) / 25, 0, 1)
        index = np.arange(len(base))
        taper = 0.3 + 0.7 * np.sqrt(np.clip(1 - across**2, 0, 1))
        weights = np.where(np.isin(index, marks.LOWER_LIP + marks.INNER_LOWER_LIP), taper, weights)
        weights = np.where(
            np.isin(index, marks.UPPER_LIP + marks.INNER_UPPER_LIP), 0.3 * np.clip(across, 0, 1) ** 4, weights
        )
        weights = np.where(np.isin(index, marks.MOUTH_CORNERS), 0.3, weights)
        return np.asarray(weights * self._moving)
