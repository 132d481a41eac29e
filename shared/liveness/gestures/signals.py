"""The usable frames of a window as arrays, oldest first."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from shared.liveness.frame import Frame

Signal = NDArray[np.float64]
Mask = NDArray[np.bool_]


class FaceSignals:
    """Signals over time. All arrays have one number a frame; only frames with exactly one good face are in it."""

    def __init__(self, frames: Sequence[Frame]) -> None:
        fresh = [*frames[:1], *(frame for before, frame in pairwise(frames) if not _same(before, frame))]
        faces = [(f.at, f.observation.face) for f in fresh if f.observation.usable]
        rows = np.array(
            [
                (at, o.yaw, o.pitch, o.left_eye, o.right_eye, o.mouth_open, o.mouth_width, o.mouth_drop)
                for at, o in faces
                if o is not None
            ],
            dtype=np.float64,
        ).reshape(-1, 8)
        self.times: Signal = rows[:, 0]
        #: Degrees; see `Face`.
        self.yaw: Signal = rows[:, 1]
        self.pitch: Signal = rows[:, 2]
        self.left_eye: Signal = rows[:, 3]
        self.right_eye: Signal = rows[:, 4]
        #: Inter-ocular distances; see `Face`.
        self.mouth_open: Signal = rows[:, 5]
        self.mouth_width: Signal = rows[:, 6]
        self.mouth_drop: Signal = rows[:, 7]

    def __len__(self) -> int:
        return len(self.times)

    @property
    def smile(self) -> Signal:
        """Width and height of the mouth's corners together, in inter-ocular distances."""
        return self.mouth_width - self.mouth_drop

    def since(self, at: float) -> slice:
        """The frames that arrived at `at` or later."""
        return slice(int(np.searchsorted(self.times, at)), None)

    def speed(self, signal: Signal) -> Signal:
        """How fast a signal changes, per second: the faster one of the steps before and after each frame."""
        if len(self) < 2:
            return np.zeros(len(self))
        steps = np.abs(np.diff(signal)) / np.maximum(np.diff(self.times), 1e-3)
        fastest = np.empty(len(self))
        fastest[0], fastest[-1] = steps[0], steps[-1]
        np.maximum(steps[:-1], steps[1:], out=fastest[1:-1])
        return fastest

    def sustained(self, over: Mask, since: float) -> float:
        """Seconds up to the newest frame for which `over` has been true without a break, counted from `since`."""
        start = None
        for i in range(len(self) - 1, -1, -1):
            if not over[i] or self.times[i] < since:
                break
            start = self.times[i]
        return 0.0 if start is None else float(self.times[-1] - start)


def _same(before: Frame, frame: Frame) -> bool:
    """Whether a frame is the one before it sent again: the same bytes show nothing new."""
    return bool(frame.observation.digest) and before.observation.digest == frame.observation.digest
