"""The same recordings as other cameras and rooms would show them: what a service must not lose people to."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ops.evaluating.video import decoded, encoded
from workers.vision.landmarks import Picture, as_picture

if TYPE_CHECKING:  # the command line names the filmings, and must not wait for vision
    from ops.evaluating.player import Source
    from shared.liveness.session import FrameResult

#: As it was filmed.
AS_RECORDED = "as_recorded"
#: In a mirror: the session is told so.
MIRRORED = "mirrored"


def _dark(picture: Picture) -> Picture:
    """A room that is all but black: a fifth of the light and less, and a camera's noise of 4 grey levels."""
    # Seeded by the picture: the noise differs from frame to frame, and is the same in every run.
    noise = np.random.default_rng(zlib.crc32(picture.tobytes())).normal(0, 4, picture.shape)
    return as_picture(np.clip(0.3 * 255 * (picture / 255.0) ** 1.5 + noise, 0, 255).astype(np.uint8))


def _far(picture: Picture) -> Picture:
    """From further away: everything at 60 %, before a grey wall."""
    height, width = picture.shape[:2]
    away = np.full_like(picture, 90)
    small = cv2.resize(picture, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    away[height // 5 : height // 5 + small.shape[0], width // 5 : width // 5 + small.shape[1]] = small
    return away


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


def _mirrored(picture: Picture) -> Picture:
    return as_picture(cv2.flip(picture, 1))


FILMINGS: Mapping[str, Callable[[Picture], Picture] | None] = {
    AS_RECORDED: None,
    "dark": _dark,
    "far": _far,
    "half": _half,
    "blurred": _blurred,
    "tilted": _tilted,
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
            shot = source.send(reply)  # type: ignore[arg-type] # a generator's first step takes no answer: None
        except StopIteration:
            return
        reply = yield replace(shot, data=_refilmed(shot.data, filming))


@lru_cache(maxsize=2000)
def _refilmed(data: bytes, filming: str) -> bytes:
    film = FILMINGS[filming]
    return encoded(film(decoded(data))) if film else data
