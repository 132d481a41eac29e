"""A face of which nothing moves but the eyes, or the mouth: a print with holes, and what lives behind them."""

from __future__ import annotations

from collections.abc import Sequence

from shared.liveness.challenge import ChallengeType
from shared.liveness.frame import Frame

#: `Observation.flex` from which on a face lives beyond doubt. Measured: nine of ten challenges that people met reach it.
LIVING = 0.1
#: Frames that must have been compared for the stillest face to show something.
_LEAST = 5
#: Seconds that are looked at, at the least, though the challenge began later: a blink takes a few frames.
_BACK = 2.5
#: Challenges that a hole for the mouth answers: all that lies near it may be cut out.
_OF_THE_MOUTH = (ChallengeType.SMILE, ChallengeType.OPEN_MOUTH)


def stiff(frames: Sequence[Frame], kind: ChallengeType, since: float) -> float | None:
    """How stiff the face stayed but for what was asked of it, 0 (alive) to 1 (a sheet); None with too few frames.

    frames: oldest first; `since`: when the challenge began.
    By the second largest change, as a single one may be a bad picture. Measured at 5, 8 and 15 frames a
    second: people 0 to 0.62, but one of sixteen, who blinks and moves nothing else, 0.81 to 0.86; prints whose eyes or
    mouth live 0.66 to 1, but for one at 0: the face of before may itself be a bad picture.
    """
    if not frames:
        return None
    since = min(since, frames[-1].at - _BACK)
    changes = sorted(change for f in frames if f.at >= since and (change := _change(f, kind)) is not None)
    if len(changes) < _LEAST:
        return None
    return max(0.0, 1 - changes[-2] / LIVING)


def _change(frame: Frame, kind: ChallengeType) -> float | None:
    seen = frame.observation
    if seen.flex is None or seen.flex_whole is None or kind in _OF_THE_MOUTH:
        return seen.flex
    return max(seen.flex, seen.flex_whole)
