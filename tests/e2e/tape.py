"""What the browser's camera shows: a film of the drawn performer, or any recording, in the form that Chromium plays.

Chromium takes a file of JPEGs, one after the other, as a camera of 30 frames a second, and begins again at its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2

from ops.lab.performer import Performer
from shared.liveness.challenge import ChallengeType

#: Frames a second that Chromium plays such a file at, and that the performer is drawn at: each drawn one stands twice.
PLAYED, DRAWN = 30, 15
#: How far each gesture goes: the drawn head is shallower than people's are, and turned by all of 30° nearly a sheet.
STRENGTH = 0.85
_QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 88]


def performed(performer: Performer, gestures: Iterable[ChallengeType]) -> Iterator[Any]:
    """The performer's film, 30 frames a second."""
    for frame in performer.performance(list(gestures), DRAWN, strength=STRENGTH):
        for _ in range(PLAYED // DRAWN):
            yield frame


def recorded(video: Path, longest: int = 640) -> Iterator[Any]:
    """A recording's frames, 30 a second whatever its own rate."""
    capture = cv2.VideoCapture(str(video))
    rate = capture.get(cv2.CAP_PROP_FPS) or 30
    number, shown = 0, 0
    while True:
        taken, frame = capture.read()
        if not taken:
            break
        number += 1
        factor = longest / max(frame.shape[:2])
        if factor < 1:
            frame = cv2.resize(frame, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        # Chromium's camera wants even sides.
        frame = frame[: frame.shape[0] // 2 * 2, : frame.shape[1] // 2 * 2]
        while shown < number * PLAYED / rate:
            shown += 1
            yield frame
    capture.release()


def write(frames: Iterable[Any], path: Path) -> Path:
    """Write the film; returns its path."""
    with path.open("wb") as film:
        for frame in frames:
            film.write(cv2.imencode(".jpg", frame, _QUALITY)[1].tobytes())
    return path
