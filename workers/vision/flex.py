"""Measures flex: how much a face changes, away from eyes and mouth, beyond what the motion of a flat sheet explains.

A print that is moved, turned or tilted changes by a homography, even if a living eye or mouth shows through a hole in it. A
living face is not flat, and no part of it moves alone: a smile lifts the cheeks, an opening mouth moves the jaw, lids move
the brows. So the face of a moment ago is aligned with the current one by a homography and a change of light, and the
remaining difference is averaged over blocks outside of eyes and mouth.

A face that is turned far is foreshortened, and no homography brings back the detail that is lost: faces seen at too
different resolutions are not compared. Pixels that do not move with the rest, such as those at a hole's edge, get a low
weight in the fit, and the blocks with the largest differences are left out, since a living face changes all over.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import cv2.typing
import numpy as np
from numpy.typing import NDArray

from workers.vision.landmarks import Picture, Points
from workers.vision.small import block_means, fine_detail, median, solution

#: Degrees of yaw, and of pitch away from _LEVEL, up to which enough of a face is seen.
TURNED, TILTED = 40.0, 25.0
#: Pitch in degrees that is measured for a person who looks straight at the camera.
_LEVEL = 15.0
#: Side in pixels of the small upright face, and pixels of an inter-ocular distance in it.
_SIDE, _UNIT = 56, 20.0
#: Position (x, y) of the middle between the eyes in the small face, in pixels.
_EYES = (_SIDE / 2 - 0.5, 17.0)
#: Share of a block, over which the difference is averaged, that must lie in the area.
_WHOLE = 0.7
#: Most iterations of the fit, and the step in pixels under which it ends; a print that is turned far takes the most.
_STEPS, _STANDING = 8, 0.03
#: Residual at which a pixel's weight in the fit falls to a quarter, in standard deviations of all residuals, and the lower
#: bound of that standard deviation in grey levels.
_ASTRAY, _LEAST_SPREAD = 2.5, 1.0
#: Share of the blocks, those with the largest differences, that are left out: what shows beside an eye's hole fills fewer.
_LEFT_OUT = 0.1
#: Largest ratio of areas, and largest squeeze in one direction, between two views of a face that are compared: beyond them
#: a print that turns would seem to live.
_LARGER, _SQUEEZED = 1.2, 1.15
#: Mean square of the blocks' means, as a ratio to the noise's, up to which camera and JPEG noise alone change a held photo;
#: the ratio hardly depends on how strong the noise is.
OF_NOISE = 0.13
#: Lower bound of the noise in grey levels squared; drawn pictures have none.
_LEAST_NOISE = 0.01
#: Lower bound of the strength of fine detail in grey levels; drawn pictures have little.
_LEAST_DETAIL = 0.1
#: Share of the compared pixels that must lie inside the picture.
_WITHIN = 0.95
#: Lowest standard deviation of the face's grey levels at which changes can be seen.
_LEAST_CONTRAST = 4.0
#: Indices of the corners of the person's right and left eye among the 68 points.
_RIGHT, _LEFT = [36, 39], [42, 45]


@dataclass(frozen=True, slots=True)
class Likeness:
    """A small upright face of an earlier frame, kept to be compared with later ones."""

    #: Arrival time of its frame in seconds.
    at: float
    #: Grey levels as 16-bit floats, row by row; rounding to whole levels would add noise.
    pixels: bytes
    #: The largest change since then, packed by `workers.vision.mixing.unmixed`; None before there was one.
    largest: bytes | None = None


@dataclass(frozen=True, slots=True)
class Flex:
    """The part of a face's change that the motion of a plane leaves unexplained."""

    #: Root mean square away from the eyes and a wide area around the mouth, as a share of the face's contrast (its standard
    #: deviation); nearly 0 for a print.
    upper: float
    #: The same away from the eyes and the lips only, with the cheeks and jaws beside the mouth.
    whole: float
    #: The larger of both areas' mean squares over the noise's; at most OF_NOISE for a held photo.
    over_noise: float
    #: The change of the face's fine detail as a share of that detail, both as medians over the face.
    detail: float
    #: The unexplained difference (_SIDE, _SIDE) in grey levels, eyes and mouth included.
    left: NDArray[np.float32]


class SmallFace:
    """The grey surroundings of a face, shrunk to a `Likeness`'s resolution, and the face's place in them."""

    def __init__(self, picture: Picture, points: Points) -> None:
        """points: the 68 points of the face (68, 2) in the picture's pixels."""
        (right_x, right_y), (left_x, left_y) = (points[eye].mean(axis=0).tolist() for eye in (_RIGHT, _LEFT))
        c, s = (left_x - right_x) / _UNIT, (left_y - right_y) / _UNIT
        x = (right_x + left_x) / 2 - (c * _EYES[0] - s * _EYES[1])
        y = (right_y + left_y) / 2 - (s * _EYES[0] + c * _EYES[1])
        # Plain numbers: NumPy takes longer for two of them than for a hundred.
        columns, rows = (x, x + c * _SIDE), (y, y + c * _SIDE)
        low_x, high_x = min(columns) + min(0.0, -s * _SIDE), max(columns) + max(0.0, -s * _SIDE)
        low_y, high_y = min(rows) + min(0.0, s * _SIDE), max(rows) + max(0.0, s * _SIDE)
        shrink = max(1.0, math.hypot(c, s))
        margin = 4 * shrink
        height, width = picture.shape[:2]
        left = min(max(math.floor(low_x - margin), 0), width - 1)
        top = min(max(math.floor(low_y - margin), 0), height - 1)
        right = min(max(math.ceil(high_x + margin), left + 1), width)
        bottom = min(max(math.ceil(high_y + margin), top + 1), height)
        around = cv2.cvtColor(picture[top:bottom, left:right], cv2.COLOR_BGR2GRAY)
        size = (max(8, round((right - left) / shrink)), max(8, round((bottom - top) / shrink)))
        small = cv2.resize(around, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        self._grey = cv2.GaussianBlur(small, (3, 3), 0.8)
        across, down = size[0] / (right - left), size[1] / (bottom - top)
        self._low, self._scale = (left, top), (across, down)
        #: Map (3, 3) from pixels of the upright face to pixels of `_grey`; pixels' centres have whole numbers in both.
        self._place = np.array(
            [
                (c * across, -s * across, (x - left + 0.5) * across - 0.5),
                (s * down, c * down, (y - top + 0.5) * down - 0.5),
                (0.0, 0.0, 1.0),
            ]
        )

    @property
    def whole(self) -> bool:
        """Whether nearly all of the face lies inside the picture."""
        height, width = self._grey.shape
        x, y, _ = self._place @ _PLACES
        return bool(np.mean((x > -1) & (x < width) & (y > -1) & (y < height)) >= _WITHIN)

    def upright(self, moved: NDArray[np.float64] | None = None) -> NDArray[np.float32]:
        """The upright face (_SIDE, _SIDE) in grey levels; moved: a homography (3, 3) to apply to its pixels first."""
        return self._warped(self._place if moved is None else self._place @ moved, (_SIDE, _SIDE))

    def compared(self, moved: NDArray[np.float64]) -> NDArray[np.float32]:
        """The grey levels (pixels,) of the part that is compared; moved: see `upright`."""
        return np.take(self._warped(self._place @ moved @ _TO_BOX, _BOX), _IN_BOX)

    def _warped(self, place: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float32]:
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        face = cv2.warpPerspective(self._grey, place, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(face, np.float32)

    def greys(self, places: NDArray[np.float32]) -> NDArray[np.float32]:
        """The grey levels (rows, columns) at places (rows, columns, 2; x and y) of the picture."""
        inside = ((places - self._low + 0.5) * self._scale - 0.5).astype(np.float32)
        greys = cv2.remap(self._grey, inside[..., 0], inside[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(greys, np.float32)

    def likeness(self, at: float) -> Likeness:
        """The upright face as a `Likeness`; at: arrival time of its frame."""
        return Likeness(at, self.upright().astype(np.float16).tobytes())


def seen_well(yaw: float, pitch: float) -> bool:
    """Whether a head turned by `yaw` and `pitch` (degrees) shows enough of its face to be compared."""
    return abs(yaw) <= TURNED and abs(pitch - _LEVEL) <= TILTED


def flex(before: Likeness, now: SmallFace) -> Flex | None:
    """Measure how a face has changed since `before`, apart from a plane's motion, a change of light and camera noise.

    None if the face has too little contrast, or is seen at too different a resolution to be compared.

    The motion is a homography, the light a gain, an offset and a slope across the face. All are fitted at once to the face
    without eyes and mouth, by inverse compositional alignment with robust weights (Baker, Gross, Ishikawa & Matthews,
    "Lucas-Kanade 20 Years On: Part 2", 2003).
    """
    earlier = np.frombuffer(before.pixels, np.float16).reshape(_SIDE, _SIDE).astype(np.float32)
    grey = np.take(earlier, _COMPARED)
    contrast = float(cv2.meanStdDev(grey)[1][0, 0])
    if contrast < _LEAST_CONTRAST:
        return None
    left = _unexplained(earlier, grey, now)
    if left is None:
        return None
    # The median passes over the minority of pixels that have really moved: their change is no noise.
    fine = fine_detail(left, _COMPARED)
    noise = (1.4826 * fine) ** 2
    changes = [area.change(left) for area in (_UPPER, _ALL)]
    upper, whole = (math.sqrt(max(0.0, change - OF_NOISE * noise)) / contrast for change in changes)
    detail = fine / max(fine_detail(earlier, _COMPARED), _LEAST_DETAIL)
    return Flex(upper, whole, max(changes) / max(noise, _LEAST_NOISE), detail, left)


def _unexplained(earlier: NDArray[np.float32], grey: NDArray[np.float32], now: SmallFace) -> NDArray[np.float32] | None:
    """The difference (_SIDE, _SIDE) between two faces after the best alignment by a plane's motion and a change of light.

    grey: the compared pixels of the earlier one. None if the aligned faces are seen at too different resolutions.
    """
    fit = _Fit(earlier, grey)
    moved = np.eye(3)
    for _ in range(_STEPS):
        p = fit.step(now.compared(moved) - grey).tolist()
        step = np.array(
            [
                (1 + p[2] / _SIDE, p[3] / _SIDE, p[0]),
                (p[4] / _SIDE, 1 + p[5] / _SIDE, p[1]),
                (p[6] / _SIDE**2, p[7] / _SIDE**2, 1.0),
            ]
        )
        moved = moved @ _FROM_MIDDLE @ cv2.invert(step)[1] @ _TO_MIDDLE
        # The largest motion that this step means for the face's edge, half a side from the centre.
        if max(map(abs, p[:2])) + max(map(abs, p[2:6])) < _STANDING:
            break
    if not _alike_in_resolution(moved):
        return None
    change = now.upright(moved) - earlier
    gain, offset, slope_across, slope_down = fit.light(np.take(change, _COMPARED)).astype(np.float32)
    return np.asarray(change - (gain * earlier + (slope_across * _ACROSS + slope_down * _DOWN) + offset), np.float32)


def _alike_in_resolution(moved: NDArray[np.float64]) -> bool:
    """Whether a homography (3, 3) keeps the scale at the face's centre nearly the same, in all directions."""
    x, y, depth = (moved @ _MIDDLE).tolist()
    if abs(depth) < _LEAST_DEPTH:
        return False  # a fit that has lost the face
    (xx, xy, _), (yx, yy, _), (zx, zy, _) = moved.tolist()
    # The Jacobian at the centre but for the factor 1 / depth, and its singular values squared and doubled.
    xx, xy, yx, yy = xx - x * zx / depth, xy - x * zy / depth, yx - y * zx / depth, yy - y * zy / depth
    both, area = xx * xx + xy * xy + yx * yx + yy * yy, abs(xx * yy - xy * yx)
    apart = math.sqrt(max(0.0, both * both - 4 * area * area))
    longer, shorter = both + apart, both - apart
    return longer <= _SQUEEZED**2 * shorter and 1 / _LARGER <= area / depth**2 <= _LARGER


class _Fit:
    """Least squares with robust weights: the larger a pixel's residual in the last step, the less it counts in the next."""

    def __init__(self, earlier: NDArray[np.float32], grey: NDArray[np.float32]) -> None:
        """earlier: the face (_SIDE, _SIDE) whose change is to be explained; grey: its compared pixels."""
        across = np.take(cv2.Sobel(earlier, cv2.CV_32F, 1, 0, scale=1 / 8), _COMPARED)
        down = np.take(cv2.Sobel(earlier, cv2.CV_32F, 0, 1, scale=1 / 8), _COMPARED)
        #: The first-order change of each pixel by a unit of each of the plane's eight parameters and the light's four
        #: (12, pixels).
        self._changes = np.empty((12, len(_COMPARED)), np.float32)
        plane = self._changes[:8]
        plane[0], plane[1] = across, down
        np.multiply(across, _x, out=plane[2])
        np.multiply(across, _y, out=plane[3])
        np.multiply(down, _x, out=plane[4])
        np.multiply(down, _y, out=plane[5])
        radial = plane[2] + plane[5]
        np.multiply(radial, -_x, out=plane[6])
        np.multiply(radial, -_y, out=plane[7])
        self._changes[8], self._changes[9:] = grey, _LIGHT
        self._weights: NDArray[np.float32] | None = None
        # Regularisation: parameters that the picture leaves open, as parallel stripes do, stay near 0.
        strength = np.einsum("ij,ij->i", self._changes, self._changes)
        self._damping = np.diag(1e-4 * strength.astype(np.float64) + 1e-3)

    def step(self, change: NDArray[np.float32]) -> NDArray[np.float64]:
        """The parameters (12,) that explain a change (pixels,) best; renews the weights."""
        parameters = self._solve(change, 0)
        residual = change - parameters.astype(np.float32) @ self._changes
        spread = max(_LEAST_SPREAD, 1.4826 * median(np.abs(residual)))
        # 1 / (1 + (residual / spread)²)²
        residual *= np.float32(1 / (_ASTRAY * spread))
        residual *= residual
        residual += 1
        residual *= residual
        self._weights = np.reciprocal(residual, out=residual)
        return parameters

    def light(self, change: NDArray[np.float32]) -> NDArray[np.float64]:
        """The light's four parameters that explain a change (pixels,) best, without any motion."""
        return self._solve(change, 8)

    def _solve(self, change: NDArray[np.float32], first: int) -> NDArray[np.float64]:
        changes = self._changes[first:]
        weighted = changes if self._weights is None else changes * self._weights
        normal = (weighted @ changes.T).astype(np.float64) + self._damping[first:, first:]
        return solution(normal, (weighted @ change).astype(np.float64))


class _Area:
    """A part of the upright face, and the blocks of pixels that lie mostly in it."""

    def __init__(self, mask: NDArray[np.bool_]) -> None:
        self._mask = mask.astype(np.float32)
        share = block_means(self._mask).ravel()
        self._within = np.flatnonzero(share > _WHOLE)
        self._share = share[self._within]
        self._counted = round((1 - _LEFT_OUT) * len(self._within))

    def change(self, left: NDArray[np.float32]) -> float:
        """Mean square of the blocks' mean differences (_SIDE, _SIDE), the largest ones left out."""
        squares = np.take(block_means(left * self._mask), self._within)
        squares /= self._share
        squares *= squares
        squares.sort()
        return float(squares[: self._counted].mean())


def _ellipse(x: float, y: float, across: float, down: float) -> NDArray[np.bool_]:
    """A mask (_SIDE, _SIDE) of an ellipse and its mirror image on the face's other half.

    Its centre (x, y) from the middle between the eyes, and its half axes, are in inter-ocular distances.
    """
    v, u = (np.mgrid[0:_SIDE, 0:_SIDE] - np.reshape(_EYES[::-1], (2, 1, 1))) / _UNIT
    return np.asarray(((np.abs(u) - x) / across) ** 2 + ((v - y) / down) ** 2 < 1)


def _whole_face() -> NDArray[np.bool_]:
    return _ellipse(0, 0.42, 0.98, 1.28)


def _without_mouth(across: float, down: float) -> NDArray[np.bool_]:
    """The face without its eyes, without an ellipse of these half axes around the mouth, and without the chin below it."""
    v, u = (np.mgrid[0:_SIDE, 0:_SIDE] - np.reshape(_EYES[::-1], (2, 1, 1))) / _UNIT
    face = _whole_face() & ~_ellipse(0.5, 0, 0.44, 0.32) & ~_ellipse(0, _MOUTH, across, down)
    return np.asarray(face & ~((np.abs(u) < 0.85 * across) & (v > _MOUTH)))


#: Distance of the mouth below the eyes, in inter-ocular distances.
_MOUTH = 1.12
_FIT = _without_mouth(0.9, 0.62)
_UPPER, _ALL = _Area(_FIT), _Area(_without_mouth(0.72, 0.45))
#: Indices of the pixels of the whole face, eyes and mouth included.
FACE = np.flatnonzero(_whole_face().ravel())
#: Indices of the pixels that the motion is fitted to, and their positions from the centre, in sides.
_COMPARED = np.flatnonzero(_FIT.ravel())
_DOWN, _ACROSS = (np.mgrid[0:_SIDE, 0:_SIDE] / _SIDE - 0.5).astype(np.float32)
_x, _y = _ACROSS.ravel()[_COMPARED], _DOWN.ravel()[_COMPARED]
#: What a unit of the light's offset and of its slopes changes (3, pixels).
_LIGHT = np.stack([np.ones_like(_x), _x, _y])
#: Their homogeneous coordinates (3, pixels) in the upright face's pixels.
_PLACES = np.stack([_COMPARED % _SIDE, _COMPARED // _SIDE, np.ones_like(_COMPARED)]).astype(np.float64)
#: Depth of the face's centre under a homography, 1 where it has not moved, under which the homography means nothing.
_LEAST_DEPTH = 1e-3
#: Homogeneous coordinates (3,) of the face's centre, in the upright face's pixels.
_MIDDLE = np.array([_SIDE / 2, _SIDE / 2 + 4, 1.0])
#: Maps (3, 3) that move the origin to the centre of the small face, and back.
_TO_MIDDLE = np.array([[1, 0, -_SIDE / 2], [0, 1, -_SIDE / 2], [0, 0, 1.0]])
_FROM_MIDDLE = np.array([[1, 0, _SIDE / 2], [0, 1, _SIDE / 2], [0, 0, 1.0]])
#: The box that holds the compared pixels: its width and height, their indices in it, and the map (3, 3) from its pixels to
#: those of the upright face.
_LEFT_EDGE, _TOP_EDGE = int((_COMPARED % _SIDE).min()), int((_COMPARED // _SIDE).min())
_BOX = int((_COMPARED % _SIDE).max()) - _LEFT_EDGE + 1, int((_COMPARED // _SIDE).max()) - _TOP_EDGE + 1
_IN_BOX = (_COMPARED // _SIDE - _TOP_EDGE) * _BOX[0] + _COMPARED % _SIDE - _LEFT_EDGE
_TO_BOX = np.array([[1, 0, _LEFT_EDGE], [0, 1, _TOP_EDGE], [0, 0, 1.0]])
