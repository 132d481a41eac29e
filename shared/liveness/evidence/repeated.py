"""The judge of pictures that come back, byte by byte: an injected frame, or a loop."""

from __future__ import annotations

from collections.abc import Sequence

from shared.liveness.frame import Frame
from shared.liveness.twins import without_twins


def repeated(frames: Sequence[Frame]) -> float | None:
    """The share of pictures whose bytes had come before, 0 to 1; None without pictures.

    Twins do not count: a client that is faster than its camera sends a picture twice or more often.
    """
    pictures = [frame.observation.digest for frame in without_twins(frames) if frame.observation.digest]
    return 1 - len(set(pictures)) / len(pictures) if pictures else None
