"""Movements without a way between, and pictures without one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from shared.liveness.challenge import ChallengeType
from shared.liveness.frame import Frame
from shared.liveness.gestures.signals import FaceSignals

#: Seconds between two frames up to which a jump says anything.
STEP = 0.45
#: Seconds in which a head goes a small part of its way; a step that takes longer may be so many times as large.
_MOMENT = 0.125


def abrupt(frames: Sequence[Frame], kind: ChallengeType) -> float | None:
    """The share of a head movement that happened within a moment, 0 to 1; None for expressions."""
    signals = FaceSignals(frames)
    if len(signals) < 3 or kind not in _AXES:
        return None
    angle = signals.yaw if _AXES[kind] == "yaw" else signals.pitch
    took = np.diff(signals.times)
    steps = (np.abs(np.diff(angle)) * np.minimum(1, _MOMENT / np.maximum(took, 1e-3)))[took <= STEP]
    whole = float(np.abs(angle - angle[-1]).max())
    return float(steps.max()) / whole if len(steps) and whole > 0 else None


def cut(frames: Sequence[Frame]) -> float | None:
    """The largest jump of the face from one frame to the next, in its own widths; None with too few frames."""
    seen = [(f.at, face) for f in frames if (face := f.observation.face) is not None]
    jumps = []
    for (at, a), (later, b) in pairwise(seen):
        if later - at <= STEP:
            size = max(a.box[2], b.box[2], 1e-6)
            jumps.append(np.hypot(_middle(b.box) - _middle(a.box), b.box[1] - a.box[1]) / size)
    return float(max(jumps)) if jumps else None


def _middle(box: tuple[float, float, float, float]) -> float:
    return box[0] + box[2] / 2


_AXES = {
    ChallengeType.TURN_LEFT: "yaw",
    ChallengeType.TURN_RIGHT: "yaw",
    ChallengeType.LOOK_UP: "pitch",
    ChallengeType.LOOK_DOWN: "pitch",
}
