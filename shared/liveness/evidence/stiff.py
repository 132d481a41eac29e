"""A face of which nothing moves but the eyes, or the mouth: a print with holes, and what lives behind them."""

from __future__ import annotations

from collections.abc import Sequence

from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence.sight import LOOK_BACK
from shared.liveness.frame import Frame

#: `Observation.flex` at which the score is one half: most faces that live show more within a challenge.
LIVING = 0.02
#: The largest changes that do not count, with fewer comparisons than so many and with more: a frame may be a bad picture.
_SPARED, _MANY = (1, 2), 10
#: Frames that must have been compared for the stillest face to show something.
_LEAST = 5
#: Challenges that a hole for the mouth answers: all that lies near it may be cut out.
_OF_THE_MOUTH = (ChallengeType.SMILE, ChallengeType.OPEN_MOUTH)


def stiff(frames: Sequence[Frame], kind: ChallengeType, since: float) -> float | None:
    """How stiff the face stayed but for what was asked of it, 0 (alive) to 1 (a sheet); None with too few frames.

    frames: oldest first; `since`: when the challenge began.
    """
    if not frames:
        return None
    since = min(since, frames[-1].at - LOOK_BACK)
    changes = sorted(change for f in frames if f.at >= since and (change := _change(f, kind)) is not None)
    if len(changes) < _LEAST:
        return None
    spared = _SPARED[len(changes) >= _MANY]
    return LIVING / (LIVING + changes[-1 - spared])


def _change(frame: Frame, kind: ChallengeType) -> float | None:
    seen = frame.observation
    if seen.flex is None or seen.flex_whole is None or kind in _OF_THE_MOUTH:
        return seen.flex
    return max(seen.flex, seen.flex_whole)
