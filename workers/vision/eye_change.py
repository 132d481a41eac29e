"""Measures how much the eyes change beside their motion with the head, against pictures of them from the last two seconds.

A photo shows the same eyes again: a program that animates one returns to them after each blink, and so do photos that are
cut or faded into each other. Living eyes hardly ever come back to the same picture: lids are now a little higher, now lower,
and the gaze wanders. So the eyes are compared with the earlier picture that is most like them. Each eye is aligned with it
by an affine motion and a change of light, and what remains is measured against the eye's contrast.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import cv2.typing
import numpy as np
from numpy.typing import NDArray

from workers.vision.landmarks import Picture

#: Side in pixels of the picture of one eye: half of the iris model's crop.
_SIDE = 32
#: Half width and half height in pixels of the part that is compared: the eye and its lids. The rest is room to be moved in.
_ACROSS, _DOWN = 11, 8
#: Seconds between two pictures that are compared, and the number of those kept: they reach back one and a half seconds.
_APART, _KEPT = 0.24, 6
#: Most steps of the alignment, and the step in pixels under which it ends.
_STEPS, _STANDING = 3, 0.03
#: Most pixels by which one of the alignment's parameters moves a point along one axis.
_FURTHEST = 3.0
#: Mean square of the smoothed difference that camera noise causes, as a ratio to the mean square of fine detail.
_OF_NOISE = 0.15
#: Lowest standard deviation of the eyes' grey levels at which changes can be seen.
_LEAST_CONTRAST = 4.0


@dataclass(frozen=True, slots=True)
class EyePicture:
    """The picture of both eyes in an earlier frame, kept to be compared with later ones."""

    #: Arrival time of its frame in seconds.
    at: float
    #: Grey levels of both eyes as 16-bit floats, eye by eye and row by row.
    pixels: bytes


def compare_eyes(
    before: Sequence[EyePicture], crops: tuple[Picture, Picture], at: float
) -> tuple[tuple[EyePicture, ...], float | None]:
    """The pictures to compare the next eyes with, and the change of these as a share of the eyes' contrast.

    before: the pictures that were returned for the frame before, oldest first; crops: both eyes, as the iris model gets
    them; at: arrival time of their frame. The change is None where there is no picture yet, where the newest one is not old
    enough, and where the eyes have too little contrast.
    """
    if before and at - before[-1].at < _APART:
        return tuple(before), None
    now = [_small(crop) for crop in crops]
    seen = np.dstack([eye[_ROWS, _COLUMNS] for eye in now])
    change = _change(_most_alike(before, seen), np.hstack(now)) if before else None
    return (*before, EyePicture(at, seen.astype(np.float16).tobytes()))[-_KEPT:], change


def _small(crop: Picture) -> NDArray[np.float32]:
    grey = cv2.resize(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(grey.astype(np.float32), (3, 3), 0.8), np.float32)


def _most_alike(pictures: Sequence[EyePicture], seen: NDArray[np.float32]) -> NDArray[np.float32]:
    """The pixels (rows, columns, eyes) of the picture with the least squared difference from those seen now."""
    pixels = np.frombuffer(b"".join(picture.pixels for picture in pictures), np.float16)
    eyes = pixels.reshape(-1, *_SHAPE).astype(np.float32)
    apart = eyes - seen
    apart -= apart.mean(axis=(1, 2), keepdims=True)
    return np.asarray(eyes[np.argmin(np.einsum("nrce,nrce->n", apart, apart))])


def _change(earlier: NDArray[np.float32], now: NDArray[np.float32]) -> float | None:
    """The root mean square of what the alignment leaves of both eyes, without camera noise, over their contrast.

    earlier: pixels (rows, columns, eyes); now: both whole pictures beside each other. The alignment is an inverse
    compositional one (see `workers.vision.flex`) whose small steps are added up.
    """
    contrast = float(earlier.var(axis=(0, 1)).mean())
    if contrast < _LEAST_CONTRAST**2:
        return None
    across, down = (_by_eye(cv2.Sobel(earlier, cv2.CV_32F, dx, 1 - dx, scale=1 / 8)) for dx in (1, 0))
    grey = _by_eye(earlier)
    # First-order change of each pixel by a unit of each of the motion's six parameters and the light's two.
    slopes = np.concatenate([across * _PLACES, down * _PLACES, grey, np.ones_like(grey)], axis=1)
    normal = (slopes @ slopes.transpose(0, 2, 1)).astype(np.float64)
    # Regularisation: parameters that the picture leaves open stay near 0.
    damping = (1e-3 * np.einsum("ijj->ij", normal) + 1e-2)[:, :, None] * np.eye(8)
    solved = np.linalg.inv(normal + damping).astype(np.float32) @ slopes
    motion = np.zeros((2, 2, 3), np.float32)
    for _ in range(_STEPS):
        places = _GRID + motion @ _PLACES
        moved = cv2.remap(now, places[:, 0], places[:, 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        change = moved.reshape(grey.shape) - grey
        step = solved @ change.transpose(0, 2, 1)
        motion = (motion - step[:, :6].reshape(2, 2, 3)).clip(-_FURTHEST, _FURTHEST)
        if np.abs(step[:, :6]).max() < _STANDING:
            break
    left = (change - step.transpose(0, 2, 1) @ slopes).reshape(2, *_SHAPE[:2]).transpose(1, 2, 0)
    return float(np.sqrt(_strength(np.ascontiguousarray(left)) / contrast))


def _by_eye(pixels: cv2.typing.MatLike) -> NDArray[np.float32]:
    """Pixels (rows, columns, eyes) as (eyes, 1, pixels)."""
    return np.asarray(pixels.transpose(2, 0, 1).reshape(2, 1, -1), np.float32)


def _strength(left: NDArray[np.float32]) -> float:
    """The mean square of both eyes' difference, smoothed so that misaligned edges do not count, without camera noise."""
    fine = np.abs(cv2.Laplacian(left, cv2.CV_32F)[_INSIDE])
    smooth = cv2.blur(left, (3, 3))[_INSIDE]
    noise = (1.4826 * np.median(fine, axis=(0, 1))) ** 2
    return float(np.maximum(0, (smooth**2).mean(axis=(0, 1)) - _OF_NOISE * noise).mean())


_ROWS, _COLUMNS = (slice(_SIDE // 2 - half, _SIDE // 2 + half) for half in (_DOWN, _ACROSS))
#: The shape of what is compared: rows, columns, two eyes; and the part without its edge.
_SHAPE = (2 * _DOWN, 2 * _ACROSS, 2)
_INSIDE = np.s_[2:-2, 2:-2]
_y, _x = np.mgrid[_ROWS, _COLUMNS].reshape(2, -1).astype(np.float32)
#: Places (2, 2, pixels) of each eye's pixels, x before y, in the two pictures beside each other.
_GRID = np.stack([np.stack([_x + eye * _SIDE, _y]) for eye in (0, 1)])
#: For each pixel 1 and its place from the eye's middle, across and down, -1 to 1.
_PLACES = np.stack([np.ones_like(_x), (_x - _SIDE / 2 + 0.5) / _ACROSS, (_y - _SIDE / 2 + 0.5) / _DOWN])
