"""The sources of frames: a video file, a camera, the drawn performer."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any, Protocol

import cv2

from liveness_client import Reply

#: The longer side of a frame, in pixels; more would only cost time.
LONGEST = 1280
#: Seconds that a camera may take to give its first picture.
CAMERA_WITHIN = 5.0


class SourceError(Exception):
    """The source cannot be played; the message is for the person at the terminal."""


class Source(Protocol):
    """A source of frames."""

    def frame(self, at: float) -> bytes | None:
        """The frame `at` seconds after the beginning, as JPEG; None when the source has ended."""

    def hear(self, reply: Reply) -> None:
        """Take the server's reply to the latest frame."""

    def close(self) -> None:
        """Release the file or the camera."""


def encoded(picture: Any) -> bytes:
    """A picture as JPEG, scaled down to the longer side of a frame."""
    factor = LONGEST / max(picture.shape[:2])
    if factor < 1:
        picture = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()


class Video:
    """A video file in real time, which begins again when it has ended (unless `once`)."""

    def __init__(self, path: Path, *, once: bool = False) -> None:
        self._capture = cv2.VideoCapture(str(path))
        if not self._capture.isOpened():
            raise SourceError(f"{path} is not a video that OpenCV can read.")
        self._path = path
        self._once = once
        #: Frames a second; containers without a rate give 0 or nonsense.
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self._rate = rate if 1 <= rate <= 1000 else 25.0
        #: Frames grabbed in this round, and when the round began.
        self._grabbed, self._round_began = 0, 0.0
        self._picture: Any = None

    def frame(self, at: float) -> bytes | None:
        """See Source."""
        due = int((at - self._round_began) * self._rate) + 1
        while self._grabbed < due:
            if self._capture.grab():
                self._grabbed += 1
                continue
            if self._grabbed == 0:
                raise SourceError(f"{self._path} holds no picture.")
            if self._once:
                return None
            self._capture.set(cv2.CAP_PROP_POS_FRAMES, 0)
            self._round_began, self._grabbed, due = at, 0, 1
        readable, picture = self._capture.retrieve()
        if readable:
            self._picture = picture
        elif self._picture is None:
            raise SourceError(f"{self._path} holds no picture that OpenCV can read.")
        return encoded(self._picture)

    def hear(self, reply: Reply) -> None:
        """Ignore the reply."""

    def close(self) -> None:
        """See Source."""
        self._capture.release()


class Camera:
    """A camera's newest picture; a thread keeps reading, since drivers queue up old ones."""

    def __init__(self, index: int) -> None:
        self._capture = cv2.VideoCapture(index)
        if not self._capture.isOpened():
            raise SourceError(f"Camera {index} cannot be opened. Is it connected, free, and allowed to this user?")
        self._index = index
        self._picture: Any = None
        self._first, self._over = threading.Event(), threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def frame(self, at: float) -> bytes | None:  # noqa: ARG002 - a camera shows now, whenever that is
        """See Source."""
        if not self._first.wait(CAMERA_WITHIN):
            raise SourceError(f"Camera {self._index} gives no pictures.")
        return None if self._over.is_set() else encoded(self._picture)

    def hear(self, reply: Reply) -> None:
        """Ignore the reply: the person before the camera reads the screen."""

    def close(self) -> None:
        """See Source."""
        self._over.set()
        self._reader.join(timeout=2)
        self._capture.release()

    def _read(self) -> None:
        failures = 0
        while not self._over.is_set() and failures < 50:
            readable, picture = self._capture.read()
            if readable:
                self._picture, failures = picture, 0
                self._first.set()
            else:
                failures += 1
                time.sleep(0.02)
        self._over.set()


class Drawing:
    """The drawn performer, who does what the server asks."""

    def __init__(self, models: Path, fps: float, *, seed: int = 0, mirrored: bool = False) -> None:
        try:
            from ops.lab.performer import Performer
        except ImportError as error:
            raise SourceError(
                f"The performer needs {error.name}: python3 -m ops.run.environment lab installs it."
            ) from error
        try:
            performer = Performer(models, seed, mirrored=mirrored)
        except FileNotFoundError as error:
            raise SourceError(str(error)) from error
        self._at = 0.0
        self._acting = performer.answering(fps, clock=lambda: self._at)
        self._reply: dict[str, Any] | None = None
        self._begun = False

    def frame(self, at: float) -> bytes | None:
        """See Source."""
        self._at = at
        picture = self._acting.send(self._reply) if self._begun else next(self._acting)
        self._begun, self._reply = True, None
        return encoded(picture)

    def hear(self, reply: Reply) -> None:
        """Pass what is asked on to the performer."""
        self._reply = {"challenge_type": reply.challenge_type, "passed": reply.passed}

    def close(self) -> None:
        """See Source."""
        self._acting.close()
