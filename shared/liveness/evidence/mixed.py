"""The judge of faces with only two appearances and mixtures of them: photos that follow each other, cut or faded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shared.liveness.challenge import HEAD_MOVEMENTS, ChallengeType
from shared.liveness.evidence.sight import recent
from shared.liveness.frame import Frame

#: Quantile of the frames' `Observation.unmixed` that counts: a few frames are bad, or the first of a fade.
_QUANTILE = 0.7
#: Least frames with an `unmixed` share.
_LEAST = 3
#: Seconds before a frame within which lie the frames that its face was compared with (`workers.vision.moved`).
_COMPARED_WITHIN = 2.0
#: Degrees of yaw and pitch within which the head must have stayed meanwhile: else the change may be the head's movement.
_HEAD_STILL = 15.0


def mixed(frames: Sequence[Frame], kind: ChallengeType, since: float) -> float | None:
    """How much of the face's changes two pictures and their mixtures explain, 0 to 1; None with too few changes.

    None for head movements as well: a head that moves and stays has two appearances, and little detail in common on the way.
    For the same reason a frame does not count if the head moved since the frames that it was compared with, as it may have
    done in the challenge before.

    frames: oldest first; since: when the challenge began.
    """
    if kind in HEAD_MOVEMENTS:
        return None
    shares = [
        f.observation.unmixed
        for f in recent(frames, since)
        if f.observation.unmixed is not None and _head_was_still(frames, f)
    ]
    return 1 - float(np.quantile(shares, _QUANTILE)) if len(shares) >= _LEAST else None


def _head_was_still(frames: Sequence[Frame], newest: Frame) -> bool:
    """Whether the head was about where it is in `newest` in all frames that this one may have been compared with."""
    face = newest.observation.face
    if face is None:
        return False
    earlier = [f.observation.face for f in frames if newest.at - _COMPARED_WITHIN <= f.at < newest.at]
    return all(
        max(abs(before.yaw - face.yaw), abs(before.pitch - face.pitch)) <= _HEAD_STILL
        for before in earlier
        if before is not None
    )
