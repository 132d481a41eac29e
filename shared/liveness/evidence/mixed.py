"""A face that takes on two appearances and mixtures of them: photos that follow each other, cut or faded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shared.liveness.challenge import HEAD_MOVEMENTS, ChallengeType
from shared.liveness.evidence.sight import LOOK_BACK
from shared.liveness.frame import Frame

#: The quantile of the frames' `Observation.unmixed` that counts: a few frames are bad, or the first of a fade.
_QUANTILE = 0.7
#: Frames with a change that could be compared with another.
_LEAST = 3
#: Seconds back to the frames that a frame's changes may have been compared with (`workers.vision.mixing`).
_COMPARED = 2.0
#: Degrees of yaw and pitch within which the head stood meanwhile; else the frame's change may be the head's.
_STOOD = 15.0


def mixed(frames: Sequence[Frame], kind: ChallengeType, since: float) -> float | None:
    """How much of the face's changes two pictures and their mixtures explain, 0 to 1; None with too few changes.

    None for head movements, too: a head that goes and stays where it went has two appearances, and is seen in too different
    detail on the way (one person's look upward came to 0.85). For the same reason a frame does not count while what it was
    compared with may have looked elsewhere: the challenge before may have been a head movement.

    frames: oldest first; `since`: when the challenge began.
    Measured over stretches of 2.6 s: people 0.33 in the median, 0.86 at most (in the dark; a blink in a whole session there
    0.90); photos that follow each other in ten ways 0.87 and more in six of ten, where they are cut in seven of ten.
    """
    if not frames or kind in HEAD_MOVEMENTS:
        return None
    since = min(since, frames[-1].at - LOOK_BACK)
    shares = [
        f.observation.unmixed
        for f in frames
        if f.at >= since and f.observation.unmixed is not None and _stood(frames, f)
    ]
    return 1 - float(np.quantile(shares, _QUANTILE)) if len(shares) >= _LEAST else None


def _stood(frames: Sequence[Frame], now: Frame) -> bool:
    """Whether the head has stood about where it is now for as long as its change goes back."""
    face = now.observation.face
    if face is None:
        return False
    for frame in frames:
        before = frame.observation.face
        if before is None or not now.at - _COMPARED <= frame.at < now.at:
            continue
        if max(abs(before.yaw - face.yaw), abs(before.pitch - face.pitch)) > _STOOD:
            return False
    return True
