"""The frames of all measurements: the drawn performer's, or those of a recording."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import click
import cv2
import numpy as np

from ops.lab.bench.machine import TOP
from ops.lab.performer import Performer, room
from shared.liveness.challenge import ChallengeType

#: Frames a second that a client sends.
RATE = 8
#: The JPEG quality of a client's frames.
QUALITY = 88
#: A phone's picture, about 12 megapixels.
LARGE = (4000, 3000)


def moving(count: int, source: Path | None = None, size: tuple[int, int] = (640, 480)) -> list[bytes]:
    """`count` JPEGs of one face that moves, RATE a second, over and over: a performance of every gesture, or a source's.

    source: a recording, or a folder of JPEGs in the order of their names, which are taken for RATE a second.
    """
    # Encoded one by one: a few large ones would fill the memory.
    known = [encoded(picture) for picture in islice(_pictures(source, size), count)]
    if not known:
        raise click.ClickException(f"{source} is neither a video that OpenCV can read nor a folder of JPEGs.")
    return [known[i % len(known)] for i in range(count)]


def empty(count: int, size: tuple[int, int] = (640, 480)) -> list[bytes]:
    """`count` JPEGs of rooms with nobody in them."""
    return [encoded(room.draw(size, np.random.default_rng(seed))) for seed in range(count)]


def encoded(picture: np.ndarray) -> bytes:
    """The picture as a client sends it."""
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()


def _pictures(source: Path | None, size: tuple[int, int]) -> Iterator[np.ndarray]:
    if source is None:
        return _performed(size)
    return _kept(source, size) if source.is_dir() else _recorded(source, size)


def _kept(folder: Path, size: tuple[int, int]) -> Iterator[np.ndarray]:
    for file in sorted(path for path in folder.iterdir() if path.suffix.lower() in {".jpg", ".jpeg"}):
        picture = cv2.imread(str(file))
        if picture is not None:
            yield _fitted(picture, size)


def _performed(size: tuple[int, int]) -> Iterator[np.ndarray]:
    yield from Performer(TOP / "var" / "models", size=size).performance(list(ChallengeType), RATE)


def _recorded(video: Path, size: tuple[int, int]) -> Iterator[np.ndarray]:
    capture = cv2.VideoCapture(str(video))
    try:
        rate, index, wanted = capture.get(cv2.CAP_PROP_FPS) or 25.0, -1, 0.0
        while capture.grab():
            index += 1
            if index / rate >= wanted:
                wanted += 1 / RATE
                yield _fitted(capture.retrieve()[1], size)
    finally:
        capture.release()


def _fitted(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Scale a picture to the common size, with bars at the sides if its shape differs."""
    factor = min(size[0] / picture.shape[1], size[1] / picture.shape[0])
    fitted = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    x, y = size[0] - fitted.shape[1], size[1] - fitted.shape[0]
    return cv2.copyMakeBorder(fitted, y // 2, y - y // 2, x // 2, x - x // 2, cv2.BORDER_REPLICATE)
