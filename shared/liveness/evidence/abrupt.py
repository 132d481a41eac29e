"""Two judges of jumps: a head that gets to another pose without moving there, and a face that jumps in the picture."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence.sight import LONGEST_STEP
from shared.liveness.following import jump_between
from shared.liveness.frame import Frame
from shared.liveness.gestures.head import MOVEMENTS
from shared.liveness.gestures.signals import FaceSignals

#: Seconds in which a head covers a small part of its movement; a step that takes longer counts for proportionally less.
_MOMENT = 0.125


def abrupt(frames: Sequence[Frame], kind: ChallengeType) -> float | None:
    """The largest share of a head movement that happened within a moment; None for expressions or with too few frames."""
    signals = FaceSignals(frames)
    if len(signals) < 3 or kind not in MOVEMENTS:
        return None
    angle = signals.yaw if MOVEMENTS[kind][0] == "yaw" else signals.pitch
    durations = np.diff(signals.times)
    steps = (np.abs(np.diff(angle)) * np.minimum(1, _MOMENT / np.maximum(durations, 1e-3)))[durations <= LONGEST_STEP]
    movement = float(np.abs(angle - angle[-1]).max())
    return float(steps.max()) / movement if len(steps) and movement > 0 else None


def cut(frames: Sequence[Frame]) -> float | None:
    """The largest jump of the face from one frame to the next, in widths of the face; None with too few frames."""
    seen = [(f.at, face) for f in frames if (face := f.observation.face) is not None]
    jumps = [
        jump_between(face, next_face)
        for (at, face), (next_at, next_face) in pairwise(seen)
        if next_at - at <= LONGEST_STEP
    ]
    return max(jumps) if jumps else None
