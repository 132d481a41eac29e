"""Which frame shows a person best, as on a passport: for an operator's own comparison."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shared.liveness.frame import Frame
from shared.liveness.gestures.neutral import learn_neutral
from shared.liveness.gestures.signals import FaceSignals
from shared.liveness.identity import comparable, comparable_as_first

#: Degrees of turning that an inter-ocular distance of open mouth, and of smile beyond the neutral, are as bad as.
_MOUTH = 100.0
#: Share of the person's own open eyes that each must be open by.
_EYES = 0.85


def distance_from_ideal(frame: Frame, frames: Sequence[Frame], opening_until: float) -> float | None:
    """How far the frame is from a portrait's ideal, in degrees of turning; None where it is none at all."""
    face = frame.observation.face
    if face is None or not comparable(frame, frames, opening_until) or not comparable_as_first(frame, frames):
        return None
    neutral = learn_neutral(FaceSignals(frames), opening_until)
    if face.left_eye < _EYES * neutral.left_eye or face.right_eye < _EYES * neutral.right_eye:
        return None
    turned = float(np.hypot(face.yaw, face.pitch - neutral.pitch))
    smiling = max(0.0, face.mouth_width - face.mouth_drop - neutral.smile)
    return turned + _MOUTH * (max(0.0, face.mouth_open - neutral.mouth_open) + smiling)
