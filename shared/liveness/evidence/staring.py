"""The judge of eyes that always look one way: those of a photo that a program animates do not move in the head."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shared.liveness.evidence.sight import recent
from shared.liveness.frame import Frame

#: Spread of the gaze, in eye widths, at which the score is a half: that of eyes that hardly move.
_HALF = 0.006
#: Share of the eyes' median openness under which the lids hide the gaze.
_OPEN = 0.75
#: Least frames with open eyes.
_LEAST = 5


def staring(frames: Sequence[Frame], since: float) -> float | None:
    """How fixed the gaze was in the head, 0 (it wandered) to 1 (it never moved); None with too few frames of open eyes.

    frames: oldest first; since: when the challenge began. The score falls with the gaze's median absolute deviation.
    """
    seen = [
        (*f.observation.gaze, min(f.observation.face.left_eye, f.observation.face.right_eye))
        for f in recent(frames, since)
        if f.observation.usable and f.observation.face and f.observation.gaze is not None
    ]
    if len(seen) < _LEAST:
        return None
    across, down, openness = np.array(seen).T
    is_open = openness > _OPEN * np.median(openness)
    if np.count_nonzero(is_open) < _LEAST:
        return None
    spread = float(np.hypot(*(np.median(np.abs(a - np.median(a))) for a in (across[is_open], down[is_open]))))
    return _HALF / (_HALF + spread)
