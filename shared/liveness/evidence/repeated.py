"""The same bytes sent again: an injected frame, or a loop."""

from __future__ import annotations

from collections.abc import Sequence

from shared.liveness.frame import Frame


def repeated(frames: Sequence[Frame]) -> float | None:
    """The share of pictures whose bytes came before, 0 to 1; None without pictures.

    A picture that follows its twin at once is one picture: clients whose camera is slower than they are send it twice.
    """
    digests = [f.observation.digest for f in frames if f.observation.digest]
    pictures = [digest for i, digest in enumerate(digests) if i == 0 or digests[i - 1] != digest]
    return 1 - len(set(pictures)) / len(pictures) if pictures else None
