"""How much of a face was seen: the seconds in which it could be followed from one frame to the next.

A judge that saw nothing says nothing, and a client chooses what the judges get to see: its frame rate, its gaps, its
silence. So a minimum must have been seen before a challenge passes, and what was not seen never counts in a session's
favour.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from shared.liveness.following import breaks_track
from shared.liveness.frame import Frame

#: Seconds between two frames up to which a movement can be followed: a client with three frames a second, and some delay.
LONGEST_STEP = 0.45
#: Seconds for which the face must have been followed.
LEAST_FOLLOWED = 1.0
#: Seconds for which the face must have been followed after the last gesture was met: a change of pictures shows by what
#: comes after it.
LEAST_AFTER = 0.6
#: Seconds that are looked at, at the least, though the challenge began later: some gestures take a few frames.
LOOK_BACK = 2.5


def followed(frames: Sequence[Frame]) -> float:
    """The seconds in which the face could be followed from one frame to the next; frames are oldest first."""
    return sum(b.at - a.at for a, b in pairwise(_pictures(frames)) if _followed(a, b))


def too_sparse(frames: Sequence[Frame]) -> bool:
    """Whether most of the newest frames came too seldom for a movement to be followed."""
    steps = [b.at - a.at for a, b in pairwise(frames[-6:])]
    return bool(steps) and sum(step > LONGEST_STEP for step in steps) > len(steps) / 2


def unseen(frames: Sequence[Frame], *, since: float, met: float, after: float) -> float:
    """The share of the minimum that has not been seen, 0 (all was) to 1 (nothing).

    frames: oldest first; since: when the challenge began; met: when its gesture was met; after: seconds for which the face
    must have been followed from then on.
    """
    looked_at = [f for f in frames if f.at >= min(since, frames[-1].at - LOOK_BACK)] if frames else []
    shares = [
        followed(looked_at) / LEAST_FOLLOWED,
        followed([f for f in looked_at if f.at >= met]) / after if after > 0 else 1.0,
    ]
    # Times are sums of parts of a second: the last digit is no lack.
    return round(max(0.0, 1 - min(shares)), 4)


def _pictures(frames: Sequence[Frame]) -> list[Frame]:
    """The frames without those that show the picture before them once more, as clients send whose camera is slow."""
    digests = [f.observation.digest for f in frames]
    return [f for i, f in enumerate(frames) if i == 0 or not digests[i] or digests[i] != digests[i - 1]]


def _followed(before: Frame, after: Frame) -> bool:
    usable = before.observation.usable and after.observation.usable
    return usable and after.at - before.at <= LONGEST_STEP and not breaks_track(before, after)
