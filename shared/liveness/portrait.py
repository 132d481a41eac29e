"""How good a portrait each frame of a session would be, for an operator's own comparison of faces.

The ideal faces the camera with open eyes, a closed mouth and no smile, as on a passport.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shared.liveness.frame import Frame
from shared.liveness.gestures.neutral import learn_neutral
from shared.liveness.gestures.signals import FaceSignals
from shared.liveness.identity import comparable, comparable_as_first

#: Degrees of turning that count as much as one inter-ocular distance of open mouth or of smile beyond the neutral.
_DEGREES_PER_MOUTH = 100.0
#: Share of the person's own open-eye level by which each eye must be open.
_LEAST_OPEN_EYE = 0.85


def distance_from_ideal(frame: Frame, frames: Sequence[Frame], opening_until: float) -> float | None:
    """How far a frame is from an ideal portrait, in degrees of turning; None if it is unfit for one.

    frames: the frames of the session that are at hand, oldest first; opening_until: the end of its opening.
    """
    face = frame.observation.face
    if face is None or not comparable(frame, frames, opening_until) or not comparable_as_first(frame, frames):
        return None
    neutral = learn_neutral(FaceSignals(frames), opening_until)
    if face.left_eye < _LEAST_OPEN_EYE * neutral.left_eye or face.right_eye < _LEAST_OPEN_EYE * neutral.right_eye:
        return None
    turned = float(np.hypot(face.yaw, face.pitch - neutral.pitch))
    smiling = max(0.0, face.mouth_width - face.mouth_drop - neutral.smile)
    return turned + _DEGREES_PER_MOUTH * (max(0.0, face.mouth_open - neutral.mouth_open) + smiling)
