"""Faces without pictures, and videos without people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from ops.lab.evaluate.player import Source
from ops.lab.evaluate.video import Shot
from shared.liveness.observation import Face, Observation

#: Frames a second of the drawn recordings.
RATE = 20

FACE = Face(
    box=(0.3, 0.2, 0.3, 0.4),
    yaw=0.0,
    pitch=10.0,
    roll=0.0,
    scale=0.2,
    left_eye=0.3,
    right_eye=0.3,
    mouth_open=0.02,
    mouth_width=0.8,
    mouth_drop=0.3,
    sureness=1.0,
)


def seen(**what: float) -> Observation:
    """One face, at rest but for what is said."""
    return Observation(1, None, replace(FACE, **what), 640, 480, 120.0, "")


class Script:
    """Vision that reads each picture's number from its bytes, and looks up what there is to see."""

    def __init__(self, observations: Sequence[Observation]) -> None:
        self.observations = observations
        self.calls: list[tuple[int, object, float]] = []

    def measure(self, data: bytes, prior: object, at: float) -> tuple[Observation, None]:
        number = int(data)
        self.calls.append((number, prior, at))
        return self.observations[number], None


def write_video(path: Path, frames: Iterator[np.ndarray], rate: float = RATE) -> Path:
    writer = None
    for frame in frames:
        writer = writer or cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), rate, frame.shape[1::-1])
        writer.write(frame)
    assert writer is not None
    writer.release()
    return path


def numbered(numbers: Iterable[int]) -> Source:
    """Shots that hold nothing but a number, for `Script`."""
    for number in numbers:
        yield Shot(str(number).encode(), second=number / 8)
