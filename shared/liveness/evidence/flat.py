"""A face that is flat: a photo that is turned and tilted before the camera.

A turned head keeps its proportions: what gets narrower on one side comes up on the other. A turned photo is squeezed along
one direction, and seems to turn by much less than it does.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shared.liveness.frame import Frame

#: Frames at the beginning whose proportions are the person's own.
_OWN = 4
#: Squeeze that a degree of turning brings to a live head's fit. Measured: 0.08 to 0.15 at 40°.
_OF_TURNING = 0.0035
#: Frames from which it can be judged.
_LEAST = 6


def flat(frames: Sequence[Frame]) -> float | None:
    """How far the face was squeezed beyond what its turning explains, 0 to 1 (90th percentile); None with too few frames.

    Measured: people up to 0.06 in nine of ten challenges under 0.04; turned photos 0.06 in the median.
    """
    faces = [f.observation.face for f in frames if f.observation.usable and f.observation.face]
    if len(faces) < _LEAST:
        return None
    shape = np.array([(f.evenness, f.yaw, f.pitch) for f in faces])
    own, yaw, pitch = np.median(shape[:_OWN], axis=0)
    turned = np.hypot(shape[:, 1] - yaw, shape[:, 2] - pitch)
    return float(np.quantile(1 - shape[:, 0] / own - _OF_TURNING * turned, 0.9))
