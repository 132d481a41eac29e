"""The signals of a face over time: what the judges of gestures read, as arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shared.liveness.frame import Frame
from shared.liveness.twins import without_twins

#: One number a frame.
Signal = NDArray[np.float64]
#: One truth value a frame.
Mask = NDArray[np.bool_]


class FaceSignals:
    """The signals of the usable frames, oldest first, without twins: arrays of equal length."""

    def __init__(self, frames: Sequence[Frame]) -> None:
        faces = [(f.at, f.observation.face) for f in without_twins(frames) if f.observation.usable]
        rows = np.array(
            [
                (at, f.yaw, f.pitch, f.left_eye, f.right_eye, f.mouth_open, f.mouth_width, f.mouth_drop)
                for at, f in faces
                if f is not None
            ],
            dtype=np.float64,
        ).reshape(-1, 8)
        #: When the frames arrived, in seconds since the epoch.
        self.times: Signal = rows[:, 0]
        #: Degrees; see `Face`.
        self.yaw: Signal = rows[:, 1]
        self.pitch: Signal = rows[:, 2]
        #: Openness; see `Face`.
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
        """How much the mouth smiles: its width less its corners' drop, in inter-ocular distances."""
        return self.mouth_width - self.mouth_drop

    def since(self, moment: float) -> slice:
        """The frames that arrived at `moment` or later, as a slice of the arrays."""
        return slice(int(np.searchsorted(self.times, moment)), None)

    def speed(self, signal: Signal) -> Signal:
        """How fast a signal changes at each frame, per second: the faster of the steps before and after the frame."""
        if len(self) < 2:
            return np.zeros(len(self))
        steps = np.abs(np.diff(signal)) / np.maximum(np.diff(self.times), 1e-3)
        fastest = np.empty(len(self))
        fastest[0], fastest[-1] = steps[0], steps[-1]
        np.maximum(steps[:-1], steps[1:], out=fastest[1:-1])
        return fastest

    def sustained(self, over: Mask, since: float) -> float:
        """Seconds up to the newest frame for which `over` has been true without a break, from `since` on at the earliest."""
        start = None
        for i in range(len(self) - 1, -1, -1):
            if not over[i] or self.times[i] < since:
                break
            start = self.times[i]
        return 0.0 if start is None else float(self.times[-1] - start)
