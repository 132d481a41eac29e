"""Whether a face can be followed from one frame to the next."""

from __future__ import annotations

from typing import Final

import numpy as np

from shared.liveness.frame import Frame
from shared.liveness.observation import Face

#: Seconds between two frames beyond which nobody has followed the face.
LONGEST_GAP: Final = 1.0
#: Widths of the face by which it moves, and times by which it grows, from one frame to the next when it is another one.
JUMP, GROWTH = 0.4, 1.3


def breaks_track(before: Frame, after: Frame) -> bool:
    """Whether the face in `after` cannot be told, by following it, to be the one in `before`."""
    one, other = _only_face(before), _only_face(after)
    if one is None or other is None or after.at - before.at > LONGEST_GAP:
        return True
    width = max(one.box[2], other.box[2], 1e-6)
    jump = np.hypot(other.box[0] + other.box[2] / 2 - one.box[0] - one.box[2] / 2, other.box[1] - one.box[1])
    grown = max(one.scale, other.scale) / max(min(one.scale, other.scale), 1e-6)
    return bool(jump >= JUMP * width or grown >= GROWTH)


def _only_face(frame: Frame) -> Face | None:
    return frame.observation.face if frame.observation.faces == 1 else None
