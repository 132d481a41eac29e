"""A face that is flat: a photo that is turned and tilted before the camera.

A turned head keeps its proportions: what gets narrower on one side comes up on the other. A turned photo is squeezed along
one direction, and seems to turn by much less than it does.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shared.liveness.frame import Frame

#: The quantile of the frames' evenness that is the person's own: they faced the camera at some time.
_OWN = 0.9
#: Squeeze that a degree of turning brings to a live head's fit. Measured: up to 0.006.
_OF_TURNING = 0.006
#: Frames from which it can be judged.
_LEAST = 6


def flat(frames: Sequence[Frame]) -> float | None:
    """How far the face was squeezed beyond what its turning explains (80th percentile); None with too few frames.

    Measured: people under 0.028 in 95 of 100 challenges, 0.062 at most; turned photos 0.064 to 0.16, one in thirty less.
    """
    faces = [f.observation.face for f in frames if f.observation.usable and f.observation.face]
    if len(faces) < _LEAST:
        return None
    shape = np.array([(f.evenness, f.yaw, f.pitch) for f in faces])
    evenness = shape[:, 0]
    own = np.quantile(evenness, _OWN)
    # Where the head stood when it was seen best: the quarter of the frames with the most even fit.
    best = np.argsort(-evenness)[: max(3, len(faces) // 4)]
    yaw, pitch = np.median(shape[best, 1:], axis=0)
    turned = np.hypot(shape[:, 1] - yaw, shape[:, 2] - pitch)
    return float(np.quantile(1 - evenness / own - _OF_TURNING * turned, 0.8))
