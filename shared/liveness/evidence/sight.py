"""The judge of how much was seen: for how many seconds the face could be followed from one frame to the next.

The client, who may be an attacker, chooses its frame rate, gaps and silence, and so what the other judges get to see. So a
minimum must be seen before a challenge passes, and what was not seen never counts in a session's favour.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from shared.liveness.following import breaks_track
from shared.liveness.frame import Frame
from shared.liveness.twins import without_twins

#: Most seconds between two frames of a movement that can be followed: three frames a second, and some delay.
LONGEST_STEP = 0.45
#: Least seconds for which the face must have been followed in a challenge.
LEAST_FOLLOWED = 1.0
#: Least seconds for which the face must have been followed after the last gesture was met: a change of pictures shows in the
#: frames after it.
LEAST_AFTER = 0.6
#: Least seconds of frames that are examined, even if the challenge began later: some gestures take only a few frames.
LOOK_BACK = 2.5


def recent(frames: Sequence[Frame], since: float) -> list[Frame]:
    """The frames to examine for a challenge that began at `since`: those from then on, and at least LOOK_BACK seconds."""
    if not frames:
        return []
    begin = min(since, frames[-1].at - LOOK_BACK)
    return [f for f in frames if f.at >= begin]


def followed(frames: Sequence[Frame]) -> float:
    """The seconds for which the face could be followed from one frame to the next; frames are oldest first."""
    return sum(b.at - a.at for a, b in pairwise(without_twins(frames)) if _followed(a, b))


def too_sparse(frames: Sequence[Frame]) -> bool:
    """Whether most of the newest pictures are too far apart in time for a movement to be followed."""
    steps = [b.at - a.at for a, b in pairwise(without_twins(frames)[-6:])]
    return bool(steps) and sum(step > LONGEST_STEP for step in steps) > len(steps) / 2


def unseen(frames: Sequence[Frame], *, since: float, met: float, after: float) -> float:
    """The share of the minimum that was not seen, 0 (all was seen) to 1 (nothing).

    frames: oldest first; since: when the challenge began; met: when its gesture was met; after: seconds for which the face
    must have been followed after `met`.
    """
    examined = recent(frames, since)
    shares = [
        followed(examined) / LEAST_FOLLOWED,
        followed([f for f in examined if f.at >= met]) / after if after > 0 else 1.0,
    ]
    # Rounded, as sums of times are inexact in their last digits.
    return round(max(0.0, 1 - min(shares)), 4)


def _followed(before: Frame, after: Frame) -> bool:
    usable = before.observation.usable and after.observation.usable
    return usable and after.at - before.at <= LONGEST_STEP and not breaks_track(before, after)
