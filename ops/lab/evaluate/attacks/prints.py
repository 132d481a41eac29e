"""A photo on paper before a camera: turned, moved, bent, and held in front of a room."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.vision.landmarks import Picture, as_picture

#: Focal length of the camera, in widths of the picture: a webcam.
FOCAL = 1.2
#: Width of the white border of a print that is held up, in widths of the print.
BORDER = 0.03

Rays = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Pose:
    """How the paper is held. Angles in degrees, with the signs of `Face`: left and right are the attacker's own."""

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    #: Size in the picture; 1 fills it.
    scale: float = 1.0
    #: Shift in widths and heights of the picture.
    dx: float = 0.0
    dy: float = 0.0
    #: Degrees of a cylinder that the paper's width is bent around; below 0 its edges come towards the camera.
    bend: float = 0.0


def show(picture: Picture, pose: Pose, room: Picture | None = None) -> Picture:
    """What the camera sees of a print of `picture`; without a `room` the print's edges go on for ever.

    Each pixel's ray is met with the paper, which is a plane or the near or far side of an upright cylinder.
    """
    height, width = picture.shape[:2]
    u, v, met = _paper(width, height, pose)
    map_x, map_y = (u + width / 2 - 0.5).astype(np.float32), (v + height / 2 - 0.5).astype(np.float32)
    seen = as_picture(cv2.remap(picture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
    if room is None:
        return seen
    margin = BORDER * width
    across, down = np.abs(u) - width / 2, np.abs(v) - height / 2
    paper = met & (across < margin) & (down < margin)
    blank = paper & ((across > 0) | (down > 0))
    seen[blank] = 235
    # A lens does not draw an edge sharper than a pixel.
    cover = cv2.GaussianBlur(paper.astype(np.float32), (3, 3), 0)[..., None]
    return (seen * cover + room * (1 - cover)).astype(np.uint8)


def make_room(width: int, height: int, seed: int) -> Picture:
    """A room out of focus: soft light on a wall, some furniture. Drawn, so that nobody's home is in the evaluation."""
    chance = np.random.default_rng(seed)
    wall = chance.uniform(90, 190, 3) + chance.normal(0, 14, (4, 5, 3))
    room = cv2.resize(wall.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(7):
        x, y = int(chance.integers(width)), int(chance.integers(height))
        w, h = int(chance.integers(width // 12, width // 3)), int(chance.integers(height // 8, height // 2))
        cv2.rectangle(room, (x, y), (x + w, y + h), chance.uniform(20, 220, 3).tolist(), -1)
    return np.clip(cv2.GaussianBlur(room, (0, 0), 4), 0, 255).astype(np.uint8)


def _paper(width: int, height: int, pose: Pose) -> tuple[Rays, Rays, NDArray[np.bool_]]:
    """Where each pixel's ray meets the paper: to the right of and below its middle in pixels, and whether it does."""
    focal = FOCAL * width
    turn = rotation(pose)
    # Rays and the camera as the paper sees them: the paper's middle is the origin, z goes away from the camera.
    x, y = np.meshgrid(
        np.arange(width, dtype=np.float32) + 0.5 - width / 2, np.arange(height, dtype=np.float32) + 0.5 - height / 2
    )
    middle = np.array([pose.dx * width, pose.dy * height, focal]) / pose.scale
    rays = np.stack([x, y, np.full_like(x, focal)], axis=-1) @ turn
    camera = -middle @ turn
    if abs(pose.bend) < 0.5:
        reach = -camera[2] / np.where(np.abs(rays[..., 2]) < 1e-6, 1e-6, rays[..., 2])
        u, v = camera[0] + reach * rays[..., 0], camera[1] + reach * rays[..., 1]
        return u, v, reach > 0
    return _cylinder(camera, rays, radius=width / math.radians(pose.bend))


def _cylinder(camera: NDArray[np.float64], rays: Rays, radius: float) -> tuple[Rays, Rays, NDArray[np.bool_]]:
    """The same for paper bent around an upright axis `radius` behind it; before it, where that is negative."""
    cx, cz = camera[0], camera[2] - radius
    dx, dz = rays[..., 0], rays[..., 2]
    a, b, c = dx * dx + dz * dz, cx * dx + cz * dz, cx * cx + cz * cz - radius * radius
    under = b * b - a * c
    root = np.sqrt(np.maximum(under, 0))
    # The side of the cylinder that the paper is on: the near one when it bulges, the far one when it is hollow.
    reach = (-b - root) / a if radius > 0 else (-b + root) / a
    px, pz = cx + reach * dx, cz + reach * dz
    angle = np.arctan2(px, -pz) if radius > 0 else np.arctan2(px, pz)
    return np.abs(radius) * angle, camera[1] + reach * rays[..., 1], (under > 0) & (reach > 0)


def rotation(pose: Pose) -> NDArray[np.float64]:
    """The rotation (3, 3) of a pose: column vectors with x to the right, y down and z away from the camera."""
    # A nose that goes to the picture's right is a turn to the left; one that goes up is a look upward.
    y, p, r = np.radians([pose.yaw, pose.pitch, pose.roll])
    about_y = np.array([[math.cos(y), 0, -math.sin(y)], [0, 1, 0], [math.sin(y), 0, math.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, math.cos(p), math.sin(p)], [0, -math.sin(p), math.cos(p)]])
    about_z = np.array([[math.cos(r), -math.sin(r), 0], [math.sin(r), math.cos(r), 0], [0, 0, 1]])
    return about_z @ about_y @ about_x
