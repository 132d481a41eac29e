"""Whether a face can be followed from one frame to the next, so that it must still be the same face.

A gap in time, a jump in the picture or a sudden change of size breaks the face's track.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from shared.liveness.frame import Frame
from shared.liveness.observation import Face

#: Seconds between two frames beyond which a face cannot be followed.
LONGEST_GAP: Final = 1.0
#: Face widths by which the face moves between two frames, from which it is taken for another face.
JUMP: Final = 0.4
#: Ratio of the face's sizes in two frames, from which it is taken for another face.
GROWTH: Final = 1.3


def breaks_track(before: Frame, after: Frame) -> bool:
    """Whether the face cannot be followed from `before` to `after`, the next frame.

    Also true unless each frame shows exactly one face.
    """
    earlier, later = _only_face(before), _only_face(after)
    if earlier is None or later is None or after.at - before.at > LONGEST_GAP:
        return True
    jump = jump_between(earlier, later)
    growth = max(earlier.scale, later.scale) / max(min(earlier.scale, later.scale), 1e-6)
    return bool(jump >= JUMP or growth >= GROWTH)


def jump_between(before: Face, after: Face) -> float:
    """How far the face's box moved (the middle of its top edge), in widths of the face."""
    across = _middle(after.box) - _middle(before.box)
    width = max(before.box[2], after.box[2], 1e-6)
    return float(np.hypot(across, after.box[1] - before.box[1]) / width)


def _middle(box: tuple[float, float, float, float]) -> float:
    return box[0] + box[2] / 2


def _only_face(frame: Frame) -> Face | None:
    return frame.observation.face if frame.observation.faces == 1 else None
