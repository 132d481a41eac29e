"""The same recordings as other cameras and rooms would show them; the service must recognize people there, too."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ops.lab.evaluate.video import QUALITY, decoded, encoded
from workers.vision.landmarks import Picture, as_picture

if TYPE_CHECKING:  # the command line names the filmings, and must not wait for vision
    from ops.lab.evaluate.player import Source
    from shared.liveness.session import FrameResult

#: The recording as it was filmed.
AS_RECORDED = "as_recorded"
#: Width and height of a camera of few pixels.
SMALL = (176, 144)
#: The JPEG quality of filmings that differ from the usual client's.
QUALITIES = {"compressed": 35}
#: A mirrored camera; the session is created as mirrored.
MIRRORED = "mirrored"


def _dark(picture: Picture) -> Picture:
    """A room that is all but black: a fifth of the light and less, and a camera's noise of 4 grey levels."""
    # Seeded by the picture: the noise differs from frame to frame, and is the same in every run.
    noise = np.random.default_rng(zlib.crc32(picture.tobytes())).normal(0, 4, picture.shape)
    return as_picture(np.clip(0.3 * 255 * (picture / 255.0) ** 1.5 + noise, 0, 255).astype(np.uint8))


def _far(picture: Picture) -> Picture:
    """From further away: everything at 60 %, and the room goes on, out of focus: a hard edge would be a screen's rim."""
    height, width = picture.shape[:2]
    small = cv2.resize(picture, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    rows, columns = height - small.shape[0], width - small.shape[1]
    sides = (rows // 2, rows - rows // 2, columns // 2, columns - columns // 2)
    away = cv2.copyMakeBorder(small, *sides, cv2.BORDER_REFLECT)
    blurred = cv2.GaussianBlur(away, (0, 0), 8)
    near = cv2.GaussianBlur(
        cv2.copyMakeBorder(np.ones_like(small[..., 0], np.float32), *sides, cv2.BORDER_CONSTANT), (0, 0), 8
    )
    share = np.clip(2 * near - 1, 0, 1)[..., None]
    return as_picture((away * share + blurred * (1 - share)).astype(np.uint8))


def _half(picture: Picture) -> Picture:
    """A camera of half the pixels."""
    return as_picture(cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))


def _blurred(picture: Picture) -> Picture:
    """A lens out of focus."""
    return as_picture(cv2.GaussianBlur(picture, (0, 0), 1.6))


def _tilted(picture: Picture) -> Picture:
    """A camera held at a tilt of 12 degrees."""
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 12, 1)
    return as_picture(cv2.warpAffine(picture, turn, (width, height), borderMode=cv2.BORDER_REPLICATE))


def _compressed(picture: Picture) -> Picture:
    """A client that saves bytes: see QUALITIES."""
    return picture


def _small(picture: Picture) -> Picture:
    """A camera of 176 by 144 pixels, or of 144 by 176 where it is held upright; a little is cut off to fit."""
    height, width = picture.shape[:2]
    size = SMALL if width >= height else SMALL[::-1]
    return as_picture(cv2.resize(_cropped(picture, size[0] / size[1]), size, interpolation=cv2.INTER_AREA))


def _portrait(picture: Picture) -> Picture:
    """A phone held upright: 9 to 16, out of the middle, at full height; what is narrower goes on at its sides."""
    height, width = picture.shape[:2]
    wanted = round(height * 9 / 16)
    if width >= wanted:
        left = (width - wanted) // 2
        return as_picture(picture[:, left : left + wanted].copy())
    lacking = wanted - width
    left = lacking // 2
    return as_picture(cv2.copyMakeBorder(picture, 0, 0, left, lacking - left, cv2.BORDER_REPLICATE))


def _cropped(picture: Picture, shape: float) -> Picture:
    """The largest part around the middle whose width is `shape` times its height."""
    height, width = picture.shape[:2]
    across, down = min(width, round(height * shape)), min(height, round(width / shape))
    x, y = (width - across) // 2, (height - down) // 2
    return as_picture(picture[y : y + down, x : x + across])


def _mirrored(picture: Picture) -> Picture:
    return as_picture(cv2.flip(picture, 1))


FILMINGS: Mapping[str, Callable[[Picture], Picture] | None] = {
    AS_RECORDED: None,
    "dark": _dark,
    "far": _far,
    "half": _half,
    "blurred": _blurred,
    "tilted": _tilted,
    "compressed": _compressed,
    "small": _small,
    "portrait": _portrait,
    MIRRORED: _mirrored,
}


def filmed(source: Source, filming: str) -> Source:
    """The source's pictures as `filming` shows them."""
    if filming == AS_RECORDED:
        yield from source
        return
    reply: FrameResult | None = None
    while True:
        try:
            shot = source.send(reply)  # a generator's first step takes no answer: None
        except StopIteration:
            return
        reply = yield shot and replace(shot, data=_refilmed(shot.data, filming))


@lru_cache(maxsize=2000)
def _refilmed(data: bytes, filming: str) -> bytes:
    film = FILMINGS[filming]
    return encoded(film(decoded(data)), QUALITIES.get(filming, QUALITY)) if film else data
