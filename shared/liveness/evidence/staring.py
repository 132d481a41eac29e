"""Eyes that look one way: those of a photo that a program animates stay in the head where the photo has them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shared.liveness.evidence.sight import LOOK_BACK
from shared.liveness.frame import Frame

#: Spread of the gaze in eye widths at which the score is a half: that of eyes which hardly move.
_HALF = 0.006
#: Share of the eyes' median openness under which lids hide where they look.
_OPEN = 0.75
#: Frames with open eyes that must have been seen.
_LEAST = 5


def staring(frames: Sequence[Frame], since: float) -> float | None:
    """How fixed the gaze was in the head, 0 (it wandered) to 1 (it never moved); None with too few frames of open eyes.

    frames: oldest first; `since`: when the challenge began. The gaze's spread is the median distance from its median.
    """
    if not frames:
        return None
    since = min(since, frames[-1].at - LOOK_BACK)
    seen = [
        (*f.observation.gaze, min(f.observation.face.left_eye, f.observation.face.right_eye))
        for f in frames
        if f.at >= since and f.observation.usable and f.observation.face and f.observation.gaze is not None
    ]
    if len(seen) < _LEAST:
        return None
    across, down, openness = np.array(seen).T
    wide = openness > _OPEN * np.median(openness)
    if np.count_nonzero(wide) < _LEAST:
        return None
    spread = float(np.hypot(*(np.median(np.abs(way - np.median(way))) for way in (across[wide], down[wide]))))
    return _HALF / (_HALF + spread)
