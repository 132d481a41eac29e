"""The judge of a screen or a print that somebody carries: a rim that both encloses the face and moves by itself."""

from __future__ import annotations

from collections.abc import Sequence

from shared.liveness.evidence.adrift import adrift
from shared.liveness.evidence.screen import screen
from shared.liveness.frame import Frame

#: Scores of `screen` and of `adrift` that people reach: window frames and shelves enclose a face, a hand passes an edge.
#: A score counts by how far it goes beyond, in the reach after it.
_USUAL_RIM, _RIM_REACH = 0.6, 0.2
_USUAL_DRIFT, _DRIFT_REACH = 0.3, 0.3


def carried(frames: Sequence[Frame]) -> float | None:
    """How surely a rim both encloses the face and moves by itself, 0 to 1; None with too few samples.

    The lesser of both signs counts: the lines of a room may enclose a face, and do not move; a hand moves, and is no rim.
    A living face on a screen shows every sign of life, so that this sign must not be outweighed by them.
    """
    rim, drift = screen(frames), adrift(frames)
    if rim is None or drift is None:
        return None
    both = min((rim - _USUAL_RIM) / _RIM_REACH, (drift - _USUAL_DRIFT) / _DRIFT_REACH)
    return min(1.0, max(0.0, both))
