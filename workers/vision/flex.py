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

from dataclasses import dataclass

import cv2
import cv2.typing
import numpy as np
from numpy.typing import NDArray

from workers.vision.landmarks import Picture, Points

#: Degrees of yaw, and of pitch away from _LEVEL, up to which enough of a face is seen.
TURNED, TILTED = 40.0, 25.0
#: Pitch in degrees that is measured for a person who looks straight at the camera.
_LEVEL = 15.0
#: Side in pixels of the small upright face, and pixels of an inter-ocular distance in it.
_SIDE, _UNIT = 56, 20.0
#: Position (x, y) of the middle between the eyes in the small face, in pixels.
_EYES = np.array([_SIDE / 2 - 0.5, 17.0])
#: Side in pixels of the blocks over which the difference is averaged, and the share of a block that must lie in the area.
_BLOCK, _WHOLE = 4, 0.7
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
        right, left = points[_RIGHT].mean(axis=0), points[_LEFT].mean(axis=0)
        c, s = (left - right).astype(np.float64) / _UNIT
        turn = np.array([[c, -s], [s, c]])
        shift = (right + left) / 2 - turn @ _EYES
        corners = np.array([(0, 0), (_SIDE, 0), (0, _SIDE), (_SIDE, _SIDE)]) @ turn.T + shift
        shrink = max(1.0, float(np.hypot(c, s)))
        margin = 4 * shrink
        height, width = picture.shape[:2]
        low = np.clip(np.floor(corners.min(axis=0) - margin), 0, (width - 1, height - 1)).astype(int)
        high = np.clip(np.ceil(corners.max(axis=0) + margin), low + 1, (width, height)).astype(int)
        around = cv2.cvtColor(picture[low[1] : high[1], low[0] : high[0]], cv2.COLOR_BGR2GRAY)
        size = (max(8, round(around.shape[1] / shrink)), max(8, round(around.shape[0] / shrink)))
        small = cv2.resize(around, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        self._grey = cv2.GaussianBlur(small, (3, 3), 0.8)
        scale = np.array(size) / (around.shape[1], around.shape[0])
        self._low, self._scale = low, scale
        #: Map (3, 3) from pixels of the upright face to pixels of `_grey`; pixels' centres have whole numbers in both.
        self._place = np.eye(3)
        self._place[:2, :2] = turn * scale[:, None]
        self._place[:2, 2] = (shift - low + 0.5) * scale - 0.5

    @property
    def whole(self) -> bool:
        """Whether nearly all of the face lies inside the picture."""
        height, width = self._grey.shape
        x, y, _ = self._place @ _PLACES
        return bool(np.mean((x > -1) & (x < width) & (y > -1) & (y < height)) >= _WITHIN)

    def upright(self, moved: NDArray[np.float64] | None = None) -> NDArray[np.float32]:
        """The upright face (_SIDE, _SIDE) in grey levels; moved: a homography (3, 3) to apply to its pixels first."""
        place = self._place if moved is None else self._place @ moved
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        face = cv2.warpPerspective(self._grey, place, (_SIDE, _SIDE), flags=flags, borderMode=cv2.BORDER_REPLICATE)
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
    contrast = float(earlier.ravel()[_COMPARED].std())
    if contrast < _LEAST_CONTRAST:
        return None
    left = _unexplained(earlier, now)
    if left is None:
        return None
    # The median passes over the minority of pixels that have really moved: their change is no noise.
    fine = _fine(left)
    noise = (1.4826 * fine) ** 2
    changes = [area.change(left) for area in (_UPPER, _ALL)]
    upper, whole = (float(np.sqrt(max(0.0, change - OF_NOISE * noise))) / contrast for change in changes)
    return Flex(upper, whole, max(changes) / max(noise, _LEAST_NOISE), fine / max(_fine(earlier), _LEAST_DETAIL), left)


def _fine(pixels: NDArray[np.float32]) -> float:
    """The strength of the fine detail in the compared part of the face, in grey levels (median of the Laplacian)."""
    return float(np.median(np.abs(cv2.Laplacian(pixels, cv2.CV_32F).ravel()[_COMPARED])))


def _unexplained(earlier: NDArray[np.float32], now: SmallFace) -> NDArray[np.float32] | None:
    """The difference (_SIDE, _SIDE) between two faces after the best alignment by a plane's motion and a change of light.

    None if the aligned faces are seen at too different resolutions.
    """
    across = cv2.Sobel(earlier, cv2.CV_32F, 1, 0, scale=1 / 8).ravel()[_COMPARED]
    down = cv2.Sobel(earlier, cv2.CV_32F, 0, 1, scale=1 / 8).ravel()[_COMPARED]
    grey, radial = earlier.ravel()[_COMPARED], across * _x + down * _y
    # First-order change of each pixel by a unit of each of the plane's eight parameters and the light's four.
    slopes = [across, down, across * _x, across * _y, down * _x, down * _y, -radial * _x, -radial * _y]
    fit = _Fit(np.stack([*slopes, grey, np.ones_like(grey), _x, _y], axis=1))
    moved = np.eye(3)
    for _ in range(_STEPS):
        p = fit.step(now.upright(moved).ravel()[_COMPARED] - grey)
        step = np.array(
            [[1 + p[2] / _SIDE, p[3] / _SIDE, p[0]], [p[4] / _SIDE, 1 + p[5] / _SIDE, p[1]], [*p[6:8] / _SIDE**2, 1]]
        )
        moved = moved @ _FROM_MIDDLE @ np.linalg.inv(step) @ _TO_MIDDLE
        # The largest motion that this step means for the face's edge, half a side from the centre.
        if np.abs(p[:2]).max() + np.abs(p[2:6]).max() < _STANDING:
            break
    if not _alike_in_resolution(moved):
        return None
    change = now.upright(moved) - earlier
    gain, offset, slope_across, slope_down = fit.light(change.ravel()[_COMPARED])
    return np.asarray(change - (gain * earlier + offset + slope_across * _ACROSS + slope_down * _DOWN), np.float32)


def _alike_in_resolution(moved: NDArray[np.float64]) -> bool:
    """Whether a homography (3, 3) keeps the scale at the face's centre nearly the same, in all directions."""
    depth = moved[2] @ _MIDDLE
    jacobian = moved[:2, :2] / depth - np.outer(moved[:2] @ _MIDDLE, moved[2, :2]) / depth**2
    longer, shorter = np.linalg.svd(jacobian, compute_uv=False)
    area = longer * shorter
    return bool(longer <= _SQUEEZED * shorter and 1 / _LARGER <= area <= _LARGER)


class _Fit:
    """Least squares with robust weights: the larger a pixel's residual in the last step, the less it counts in the next."""

    def __init__(self, changes: NDArray[np.float32]) -> None:
        """changes: the first-order change of each pixel by a unit of each parameter (pixels, 12)."""
        self._changes = changes
        self._weights = np.ones(len(changes), np.float32)
        # Regularisation: parameters that the picture leaves open, as parallel stripes do, stay near 0.
        self._damping = np.diag(1e-4 * np.einsum("ij,ij->j", changes, changes).astype(np.float64) + 1e-3)

    def step(self, change: NDArray[np.float32]) -> NDArray[np.float64]:
        """The parameters (12,) that explain a change (pixels,) best; renews the weights."""
        parameters = self._solve(change, 0)
        residual = change - self._changes @ parameters.astype(np.float32)
        spread = max(_LEAST_SPREAD, 1.4826 * float(np.median(np.abs(residual))))
        self._weights = (1 + (residual / (_ASTRAY * spread)) ** 2) ** -2
        return parameters

    def light(self, change: NDArray[np.float32]) -> NDArray[np.float64]:
        """The light's four parameters that explain a change (pixels,) best, without any motion."""
        return self._solve(change, 8)

    def _solve(self, change: NDArray[np.float32], first: int) -> NDArray[np.float64]:
        changes = self._changes[:, first:]
        weighted = (changes * self._weights[:, None]).T
        normal = (weighted @ changes).astype(np.float64) + self._damping[first:, first:]
        return np.asarray(np.linalg.solve(normal, (weighted @ change).astype(np.float64)))


class _Area:
    """A part of the upright face, and the blocks of pixels that lie mostly in it."""

    def __init__(self, mask: NDArray[np.bool_]) -> None:
        self._mask = mask
        share = _blocks(mask.astype(np.float32))
        self._within = share > _WHOLE
        self._share = share[self._within]

    def change(self, left: NDArray[np.float32]) -> float:
        """Mean square of the blocks' mean differences (_SIDE, _SIDE), the largest ones left out."""
        squares = np.sort((_blocks(np.where(self._mask, left, 0))[self._within] / self._share) ** 2)
        return float(squares[: round((1 - _LEFT_OUT) * len(squares))].mean())


def _blocks(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    return pixels.reshape(_SIDE // _BLOCK, _BLOCK, _SIDE // _BLOCK, _BLOCK).mean(axis=(1, 3))


def _ellipse(x: float, y: float, across: float, down: float) -> NDArray[np.bool_]:
    """A mask (_SIDE, _SIDE) of an ellipse and its mirror image on the face's other half.

    Its centre (x, y) from the middle between the eyes, and its half axes, are in inter-ocular distances.
    """
    v, u = (np.mgrid[0:_SIDE, 0:_SIDE] - _EYES[::-1, None, None]) / _UNIT
    return np.asarray(((np.abs(u) - x) / across) ** 2 + ((v - y) / down) ** 2 < 1)


def _whole_face() -> NDArray[np.bool_]:
    return _ellipse(0, 0.42, 0.98, 1.28)


def _without_mouth(across: float, down: float) -> NDArray[np.bool_]:
    """The face without its eyes, without an ellipse of these half axes around the mouth, and without the chin below it."""
    v, u = (np.mgrid[0:_SIDE, 0:_SIDE] - _EYES[::-1, None, None]) / _UNIT
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
#: Their homogeneous coordinates (3, pixels) in the upright face's pixels.
_PLACES = np.stack([_COMPARED % _SIDE, _COMPARED // _SIDE, np.ones_like(_COMPARED)]).astype(np.float64)
#: Homogeneous coordinates (3,) of the face's centre, in the upright face's pixels.
_MIDDLE = np.array([_SIDE / 2, _SIDE / 2 + 4, 1.0])
#: Maps (3, 3) that move the origin to the centre of the small face, and back.
_TO_MIDDLE = np.array([[1, 0, -_SIDE / 2], [0, 1, -_SIDE / 2], [0, 0, 1.0]])
_FROM_MIDDLE = np.array([[1, 0, _SIDE / 2], [0, 1, _SIDE / 2], [0, 0, 1.0]])
