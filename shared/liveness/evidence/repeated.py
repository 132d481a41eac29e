"""The judge of pictures that are sent again, byte by byte: an injected frame, or a loop."""

from __future__ import annotations

from collections.abc import Sequence

from shared.liveness.frame import Frame


def repeated(frames: Sequence[Frame]) -> float | None:
    """The share of pictures whose bytes had come before, 0 to 1; None without pictures.

    Equal frames in a row count as one picture: a client that is faster than its camera sends a picture twice.
    """
    digests = [f.observation.digest for f in frames if f.observation.digest]
    pictures = [digest for i, digest in enumerate(digests) if i == 0 or digests[i - 1] != digest]
    return 1 - len(set(pictures)) / len(pictures) if pictures else None
