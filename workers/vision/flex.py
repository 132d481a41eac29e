"""How much a face changes in a way that no sheet of paper does, away from its eyes and its mouth.

A print that is moved, turned or tilted changes as a plane does, whatever shows through holes that are cut into it. A living
face is no plane, and none of its parts moves alone: a smile lifts the cheeks, an opening mouth takes the jaw along, lids the
brows, and the head is never quite still. So the face of a moment ago is laid over that of now as well as a plane can be, in
place and in light, and what is left is looked at where eyes and mouth are not.

What is turned far is seen in other detail: foreshortened, it has fewer pixels one way, and no plane's movement brings back
what was lost between them. Where the plane says that the face is seen so, nothing is compared.

What shows beside the holes' edges must not pull the plane along: what does not go with the rest of the face counts for less
in the fit, and the blocks that are left the most by it do not count at all. A living face's movement is not in one place.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import cv2.typing
import numpy as np
from numpy.typing import NDArray

from workers.vision.landmarks import Picture, Points

#: Degrees of yaw, and of pitch from where those who look at their camera are, within which enough of a face is seen.
TURNED, TILTED = 40.0, 25.0
_LEVEL = 15.0
#: Side in pixels of the small upright face, and pixels of an inter-ocular distance in it.
_SIDE, _UNIT = 56, 20.0
#: Where in it the middle between the eyes lies, in pixels.
_EYES = np.array([_SIDE / 2 - 0.5, 17.0])
#: Side of the blocks that what is left is averaged over, in pixels, and the share of one that must be looked at.
_BLOCK, _WHOLE = 4, 0.7
#: Steps that the plane is fitted in at most, and the pixels under which a step was the last. Measured: 3 in the median; a
#: print that is turned far needs more.
_STEPS, _STANDING = 8, 0.03
#: How far from the rest a pixel's change is to count for a quarter in the fit, in standard deviations, and the grey levels
#: that one is at the least.
_ASTRAY, _LEAST_SPREAD = 2.5, 1.0
#: Share of the blocks that do not count, those that are left the most. Measured: where a face shows beside an eye's hole
#: it is under a tenth.
_LEFT_OUT = 0.1
#: How many times larger (as an area), or further squeezed one way, the face may be seen in one of two pictures for them to
#: be compared. Measured, of prints that turn by 30 to 60° within a second: of 240 stretches of 2.6 s 97 showed some life
#: before there were such limits, 36 with the one for squeezing, 22 with both.
_LARGER, _SQUEEZED = 1.2, 1.15
#: Mean square of a block's mean over that of the picture's fine detail, at the most, where only a camera's noise and JPEG's
#: change a photo in a hand: the same for little noise and much.
OF_NOISE = 0.13
#: Grey levels squared that the noise is at the least: drawn pictures have none.
_LEAST_NOISE = 0.01
#: Grey levels that fine detail has at the least, likewise.
_LEAST_DETAIL = 0.1
#: Share of what is looked at that must lie within the picture.
_WITHIN = 0.95
#: Grey levels that the face's picture must spread by (standard deviation) for anything to be seen in it.
_LEAST_CONTRAST = 4.0
#: Of the 68 points: the corners of the person's right and left eye.
_RIGHT, _LEFT = [36, 39], [42, 45]


@dataclass(frozen=True, slots=True)
class Likeness:
    """A small upright face as it was."""

    #: Arrival of the frame it comes from.
    at: float
    #: Grey levels as floats of 16 bits, row by row: whole levels would be a noise of their own.
    pixels: bytes
    #: The largest change of it since, as `workers.vision.mixing` keeps it; None before there was one.
    largest: bytes | None = None


@dataclass(frozen=True, slots=True)
class Flex:
    """What a plane's movement leaves of a face's change, in shares of the face's contrast: under 0.01 for most prints."""

    #: Away from the eyes and from a hole around the mouth that a smile fits into.
    upper: float
    #: With the cheeks and jaws beside the mouth: away from the eyes and the lips only.
    whole: float
    #: The larger one of the two areas' changes over the noise, a ratio of mean squares: at most OF_NOISE for a held photo.
    over_noise: float
    #: How much of the face's fine detail has changed, as a share of that detail: its median over the face.
    detail: float
    #: What is left (_SIDE, _SIDE), in grey levels; eyes and mouth are in it.
    left: NDArray[np.float32]


class SmallFace:
    """A face's surroundings in grey, not much larger than a `Likeness`, and where in them it lies."""

    def __init__(self, picture: Picture, points: Points) -> None:
        """points: the face's 68."""
        right, left = points[_RIGHT].mean(axis=0), points[_LEFT].mean(axis=0)
        c, s = (left - right).astype(np.float64) / _UNIT
        turn = np.array([[c, -s], [s, c]])
        shift = (right + left) / 2 - turn @ _EYES
        corners = np.array([(0, 0), (_SIDE, 0), (0, _SIDE), (_SIDE, _SIDE)]) @ turn.T + shift
        shrink = max(1.0, float(np.hypot(c, s)))
        spare = 4 * shrink
        height, width = picture.shape[:2]
        low = np.clip(np.floor(corners.min(axis=0) - spare), 0, (width - 1, height - 1)).astype(int)
        high = np.clip(np.ceil(corners.max(axis=0) + spare), low + 1, (width, height)).astype(int)
        around = cv2.cvtColor(picture[low[1] : high[1], low[0] : high[0]], cv2.COLOR_BGR2GRAY)
        size = (max(8, round(around.shape[1] / shrink)), max(8, round(around.shape[0] / shrink)))
        small = cv2.resize(around, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        self._grey = cv2.GaussianBlur(small, (3, 3), 0.8)
        #: 3, 3: from the upright face's pixels to these. Pixels' middles are at whole numbers in both.
        scale = np.array(size) / (around.shape[1], around.shape[0])
        self._low, self._scale = low, scale
        self._place = np.eye(3)
        self._place[:2, :2] = turn * scale[:, None]
        self._place[:2, 2] = (shift - low + 0.5) * scale - 0.5

    @property
    def whole(self) -> bool:
        """Whether the picture holds the face, but for a little."""
        height, width = self._grey.shape
        x, y, _ = self._place @ _PLACES
        return bool(np.mean((x > -1) & (x < width) & (y > -1) & (y < height)) >= _WITHIN)

    def upright(self, moved: NDArray[np.float64] | None = None) -> NDArray[np.float32]:
        """The upright face (_SIDE, _SIDE), after a move of it (3, 3; a homography)."""
        place = self._place if moved is None else self._place @ moved
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        face = cv2.warpPerspective(self._grey, place, (_SIDE, _SIDE), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(face, np.float32)

    def greys(self, places: NDArray[np.float32]) -> NDArray[np.float32]:
        """The grey levels at places of the picture (rows, columns, 2)."""
        here = ((places - self._low + 0.5) * self._scale - 0.5).astype(np.float32)
        seen = cv2.remap(self._grey, here[..., 0], here[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(seen, np.float32)

    def likeness(self, at: float) -> Likeness:
        """This face, to be compared with a later one."""
        return Likeness(at, self.upright().astype(np.float16).tobytes())


def seen_well(yaw: float, pitch: float) -> bool:
    """Whether a head that stands so (degrees) shows enough of its face."""
    return abs(yaw) <= TURNED and abs(pitch - _LEVEL) <= TILTED


def flex(before: Likeness, now: SmallFace) -> Flex | None:
    """What has changed in the face since, but for a plane's movement and for light.

    None where there is nothing to see, or where it is seen so differently that its detail cannot be compared.

    The movement is a homography, the light a gain, an offset and a slope across the face, all fitted at once on the part of
    the face that is looked at (inverse compositional alignment with weights: Baker, Gross, Ishikawa & Matthews 2003). A
    camera's noise is taken off.
    """
    was = np.frombuffer(before.pixels, np.float16).reshape(_SIDE, _SIDE).astype(np.float32)
    contrast = float(was.ravel()[_LOOKED_AT].std())
    if contrast < _LEAST_CONTRAST:
        return None
    left = _left_by_a_plane(was, now)
    if left is None:
        return None
    # Half of all pixels: eyes that move are no noise.
    fine = _fine(left)
    noise = (1.4826 * fine) ** 2
    changes = [area.change(left) for area in (_UPPER, _ALL)]
    upper, whole = (float(np.sqrt(max(0.0, change - OF_NOISE * noise))) / contrast for change in changes)
    return Flex(upper, whole, max(changes) / max(noise, _LEAST_NOISE), fine / max(_fine(was), _LEAST_DETAIL), left)


def _fine(pixels: NDArray[np.float32]) -> float:
    """The strength of the fine detail in the part of the face that is looked at, in grey levels: a median."""
    return float(np.median(np.abs(cv2.Laplacian(pixels, cv2.CV_32F).ravel()[_LOOKED_AT])))


def _left_by_a_plane(was: NDArray[np.float32], now: SmallFace) -> NDArray[np.float32] | None:
    """The difference (_SIDE, _SIDE) between the face as it was and as it is, when it is laid over as well as can be.

    None where the plane is seen in other detail than it was.
    """
    across = cv2.Sobel(was, cv2.CV_32F, 1, 0, scale=1 / 8).ravel()[_LOOKED_AT]
    down = cv2.Sobel(was, cv2.CV_32F, 0, 1, scale=1 / 8).ravel()[_LOOKED_AT]
    grey, radial = was.ravel()[_LOOKED_AT], across * _x + down * _y
    # What each of the plane's eight numbers, and each of the light's four, would change, to the first order.
    slopes = [across, down, across * _x, across * _y, down * _x, down * _y, -radial * _x, -radial * _y]
    fit = _Fit(np.stack([*slopes, grey, np.ones_like(grey), _x, _y], axis=1))
    moved = np.eye(3)
    for _ in range(_STEPS):
        p = fit.step(now.upright(moved).ravel()[_LOOKED_AT] - grey)
        step = np.array(
            [[1 + p[2] / _SIDE, p[3] / _SIDE, p[0]], [p[4] / _SIDE, 1 + p[5] / _SIDE, p[1]], [*p[6:8] / _SIDE**2, 1]]
        )
        moved = moved @ _FROM_MIDDLE @ np.linalg.inv(step) @ _TO_MIDDLE
        # Where the face is from the middle, half a side away.
        if np.abs(p[:2]).max() + np.abs(p[2:6]).max() < _STANDING:
            break
    if not _in_like_detail(moved):
        return None
    change = now.upright(moved) - was
    gain, offset, slope_across, slope_down = fit.of_light(change.ravel()[_LOOKED_AT])
    return np.asarray(change - (gain * was + offset + slope_across * _ACROSS + slope_down * _DOWN), np.float32)


def _in_like_detail(moved: NDArray[np.float64]) -> bool:
    """Whether a plane that has moved so (3, 3) has about as many pixels as before in the middle of the face, both ways."""
    depth = moved[2] @ _MIDDLE
    stretch = moved[:2, :2] / depth - np.outer(moved[:2] @ _MIDDLE, moved[2, :2]) / depth**2
    longer, shorter = np.linalg.svd(stretch, compute_uv=False)
    larger = longer * shorter
    return bool(longer <= _SQUEEZED * shorter and 1 / _LARGER <= larger <= _LARGER)


class _Fit:
    """Least squares in which a pixel counts the less, the further its change was from what the last step explained."""

    def __init__(self, changes: NDArray[np.float32]) -> None:
        """changes: for each pixel (pixels, 12) what a unit of each number changes in it, to the first order."""
        self._changes = changes
        self._weights = np.ones(len(changes), np.float32)
        # Stripes all one way, say, leave some of the numbers open: they stay as they are.
        self._keep = np.diag(1e-4 * np.einsum("ij,ij->j", changes, changes).astype(np.float64) + 1e-3)

    def step(self, change: NDArray[np.float32]) -> NDArray[np.float64]:
        """The numbers that explain the change best."""
        numbers = self._solve(change, 0)
        astray = change - self._changes @ numbers.astype(np.float32)
        spread = max(_LEAST_SPREAD, 1.4826 * float(np.median(np.abs(astray))))
        self._weights = (1 + (astray / (_ASTRAY * spread)) ** 2) ** -2
        return numbers

    def of_light(self, change: NDArray[np.float32]) -> NDArray[np.float64]:
        """The light's four numbers, the plane staying where it is."""
        return self._solve(change, 8)

    def _solve(self, change: NDArray[np.float32], first: int) -> NDArray[np.float64]:
        changes = self._changes[:, first:]
        weighed = (changes * self._weights[:, None]).T
        normal = (weighed @ changes).astype(np.float64) + self._keep[first:, first:]
        return np.asarray(np.linalg.solve(normal, (weighed @ change).astype(np.float64)))


class _Area:
    """A part of the upright face, and the blocks of pixels that lie in it."""

    def __init__(self, mask: NDArray[np.bool_]) -> None:
        self._mask = mask
        share = _blocks(mask.astype(np.float32))
        self._within = share > _WHOLE
        self._share = share[self._within]

    def change(self, left: NDArray[np.float32]) -> float:
        """Mean square of the blocks' mean differences, but for the largest ones."""
        squares = np.sort((_blocks(np.where(self._mask, left, 0))[self._within] / self._share) ** 2)
        return float(squares[: round((1 - _LEFT_OUT) * len(squares))].mean())


def _blocks(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    return pixels.reshape(_SIDE // _BLOCK, _BLOCK, _SIDE // _BLOCK, _BLOCK).mean(axis=(1, 3))


def _ellipse(x: float, y: float, across: float, down: float) -> NDArray[np.bool_]:
    """On both sides of the face, in inter-ocular distances from the middle between the eyes."""
    v, u = (np.mgrid[0:_SIDE, 0:_SIDE] - _EYES[::-1, None, None]) / _UNIT
    return np.asarray(((np.abs(u) - x) / across) ** 2 + ((v - y) / down) ** 2 < 1)


def _whole_face() -> NDArray[np.bool_]:
    return _ellipse(0, 0.42, 0.98, 1.28)


def _without_mouth(across: float, down: float) -> NDArray[np.bool_]:
    """The face without its eyes, and without a hole of this size for the mouth, with the chin below it."""
    v, u = (np.mgrid[0:_SIDE, 0:_SIDE] - _EYES[::-1, None, None]) / _UNIT
    face = _whole_face() & ~_ellipse(0.5, 0, 0.44, 0.32) & ~_ellipse(0, _MOUTH, across, down)
    return np.asarray(face & ~((np.abs(u) < 0.85 * across) & (v > _MOUTH)))


#: How far the mouth is below the eyes, in inter-ocular distances.
_MOUTH = 1.12
_FIT = _without_mouth(0.9, 0.62)
_UPPER, _ALL = _Area(_FIT), _Area(_without_mouth(0.72, 0.45))
#: The pixels of the whole face, eyes and mouth with it.
FACE = np.flatnonzero(_whole_face().ravel())
#: The pixels that the plane is fitted to, and where they are, from the middle, in sides.
_LOOKED_AT = np.flatnonzero(_FIT.ravel())
_DOWN, _ACROSS = (np.mgrid[0:_SIDE, 0:_SIDE] / _SIDE - 0.5).astype(np.float32)
_x, _y = _ACROSS.ravel()[_LOOKED_AT], _DOWN.ravel()[_LOOKED_AT]
#: 3, pixels: the same in the upright face's pixels, to be laid on a picture.
_PLACES = np.stack([_LOOKED_AT % _SIDE, _LOOKED_AT // _SIDE, np.ones_like(_LOOKED_AT)]).astype(np.float64)
#: 3: the face's middle, between nose and eyes.
_MIDDLE = np.array([_SIDE / 2, _SIDE / 2 + 4, 1.0])
_TO_MIDDLE = np.array([[1, 0, -_SIDE / 2], [0, 1, -_SIDE / 2], [0, 0, 1.0]])
_FROM_MIDDLE = np.array([[1, 0, _SIDE / 2], [0, 1, _SIDE / 2], [0, 0, 1.0]])
