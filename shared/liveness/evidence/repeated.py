"""The same bytes sent again: an injected frame, or a loop."""

from __future__ import annotations

from collections.abc import Sequence

from shared.liveness.frame import Frame


def repeated(frames: Sequence[Frame]) -> float | None:
    """The share of frames whose bytes came before, 0 to 1; None without frames.

    No camera gives the same bytes twice; a client that sends a frame again after a lost answer does so once in a while.
    """
    digests = [f.observation.digest for f in frames if f.observation.digest]
    return 1 - len(set(digests)) / len(digests) if digests else None
