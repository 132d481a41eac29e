"""The judge of flat faces: a photo that is turned and tilted before the camera.

A turned head keeps its proportions: what gets narrower on one side appears on the other. A turned photo is squeezed along
one direction, and seems to turn by much less than it does.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shared.liveness.frame import Frame

#: Quantile of the frames' evenness that is taken for the person's own, facing the camera.
_OWN_QUANTILE = 0.9
#: Squeeze that each degree of turning brings to a living head's fit at most.
_SQUEEZE_PER_DEGREE = 0.006
#: Quantile of the frames' excess squeeze that is the score.
_SCORE_QUANTILE = 0.8
#: Least frames for a score.
_LEAST = 6


def flat(frames: Sequence[Frame]) -> float | None:
    """How far the face was squeezed beyond what its turning explains, as a share of evenness; None with too few frames."""
    faces = [f.observation.face for f in frames if f.observation.usable and f.observation.face]
    if len(faces) < _LEAST:
        return None
    shape = np.array([(f.evenness, f.yaw, f.pitch) for f in faces])
    evenness = shape[:, 0]
    own = np.quantile(evenness, _OWN_QUANTILE)
    # The pose in which the head was seen best: that of the quarter of the frames with the most even fit.
    best = np.argsort(-evenness)[: max(3, len(faces) // 4)]
    yaw, pitch = np.median(shape[best, 1:], axis=0)
    turned = np.hypot(shape[:, 1] - yaw, shape[:, 2] - pitch)
    return float(np.quantile(1 - evenness / own - _SQUEEZE_PER_DEGREE * turned, _SCORE_QUANTILE))
