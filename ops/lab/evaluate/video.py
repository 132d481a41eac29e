"""Reads pictures from recordings as a client's camera would give them: at a frame rate, 640 pixels wide, as JPEG."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from ops.lab.evaluate.manifest import ManifestError, Segment
from workers.vision.landmarks import Picture, as_picture

#: The longer side of a client's picture, in pixels.
LONGEST = 640
#: The JPEG quality of a client's picture.
QUALITY = 88
#: Turns by degrees, clockwise.
_ROTATIONS = {90: cv2.ROTATE_90_CLOCKWISE, -90: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180}
#: Recordings without a rate say 0 or nonsense.
USUAL_RATE = 25.0


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture that a client sends."""

    data: bytes
    #: The second of the recording that the picture shows, if it is unchanged.
    second: float | None = None
    #: How often the clip has started over before it.
    lap: int = 0
    #: Seconds from when it was due to be sent to its arrival.
    late: float = 0.0


def encoded(picture: Picture, quality: int = QUALITY) -> bytes:
    """The picture as a client sends it."""
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def decoded(data: bytes) -> Picture:
    """The picture in a JPEG made by `encoded`."""
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return as_picture(picture)


def black(like: Picture) -> Picture:
    """A picture of that size that shows nothing."""
    return np.zeros_like(like)


def pictures(segment: Segment, fps: float | None = None) -> Iterator[tuple[float, Picture]]:
    """(second, picture) of a segment, at most `fps` a second; every one of them without `fps`."""
    capture, wanted = cv2.VideoCapture(str(segment.path)), segment.start
    if segment.turn is not None:
        # The manifest names a rotation if the recording's own is wrong.
        capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0)
    try:
        if not capture.isOpened():
            raise ManifestError(f"{segment.path} is not a video that OpenCV can read.")
        rate = capture.get(cv2.CAP_PROP_FPS)
        rate = rate if 1 < rate < 200 else USUAL_RATE
        index = -1
        # Grabbed one by one: in many containers, seeking lands on other frames.
        while capture.grab():
            index += 1
            second = index / rate
            if second >= segment.end:
                return
            if second + 1e-6 < wanted:
                continue
            readable, picture = capture.retrieve()
            if not readable:
                return
            if fps:
                wanted += 1 / fps
            yield second, _fitted(_turned(as_picture(picture), segment.turn))
    finally:
        capture.release()


@lru_cache(maxsize=24)
def reel(segment: Segment) -> tuple[Shot, ...]:
    """All pictures of a segment, as JPEG: a few seconds of decoded ones would fill the memory."""
    shots = tuple(Shot(encoded(p), second) for second, p in pictures(segment))
    if not shots:
        raise ManifestError(f"{segment}: the recording is over before this segment begins.")
    return shots


def shots(segment: Segment, fps: float, lap: int = 0) -> Iterator[Shot]:
    """The segment at `fps`; each lap on another sampling grid, as a camera's clock would have it."""
    wanted = segment.start + lap * 0.35 % 1 / fps
    for shot in reel(segment):
        if shot.second is not None and shot.second + 1e-6 >= wanted:
            wanted += 1 / fps
            yield Shot(shot.data, shot.second, lap)


@lru_cache(maxsize=32)
def picture_at(segment: Segment, second: float) -> Picture:
    """The one picture nearest to a second of the segment: what an attacker would print."""
    shot = min(reel(segment), key=lambda s: abs((s.second or 0.0) - second))
    return decoded(shot.data)


def _turned(picture: Picture, degrees: int | None) -> Picture:
    return as_picture(cv2.rotate(picture, _ROTATIONS[degrees])) if degrees else picture


def _fitted(picture: Picture) -> Picture:
    factor = LONGEST / max(picture.shape[:2])
    if factor >= 1:
        return picture
    return as_picture(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA))
