"""A face of which nothing moves but the eyes, or the mouth: a print with holes, and what lives behind them."""

from __future__ import annotations

from collections.abc import Sequence

from shared.liveness.challenge import ChallengeType
from shared.liveness.frame import Frame

#: `Observation.flex` from which on a face lives beyond doubt. Measured: of 27 sessions of people all but one reach it.
LIVING = 0.02
#: The largest changes that do not count, with fewer comparisons than so many and with more: a frame may be a bad picture.
#: Measured: of 55 prints with living eyes or mouths, 18 comparisons each, one has two at 0.011 and 0.015, none a third
#: above 0.007; a person who blinks at once, four frames a second, has two of six that show it.
_SPARED, _MANY = (1, 2), 10
#: Frames that must have been compared for the stillest face to show something.
_LEAST = 5
#: Seconds that are looked at, at the least, though the challenge began later: a blink takes a few frames.
_BACK = 2.5
#: Challenges that a hole for the mouth answers: all that lies near it may be cut out.
_OF_THE_MOUTH = (ChallengeType.SMILE, ChallengeType.OPEN_MOUTH)


def stiff(frames: Sequence[Frame], kind: ChallengeType, since: float) -> float | None:
    """How stiff the face stayed but for what was asked of it, 0 (alive) to 1 (a sheet); None with too few frames.

    frames: oldest first; `since`: when the challenge began.
    Measured at 5, 8 and 15 frames a second: people 0, but one of sixteen, who blinks and moves nothing else, 0.70, 0.76 and
    1; prints whose eyes or mouth live 1, the least stiff one that answered all its challenges 0.83. In the dark noise hides
    what moves: 9 of 40 gestures are then as stiff as a print.
    """
    if not frames:
        return None
    since = min(since, frames[-1].at - _BACK)
    changes = sorted(change for f in frames if f.at >= since and (change := _change(f, kind)) is not None)
    if len(changes) < _LEAST:
        return None
    spared = _SPARED[len(changes) >= _MANY]
    return max(0.0, 1 - changes[-1 - spared] / LIVING)


def _change(frame: Frame, kind: ChallengeType) -> float | None:
    seen = frame.observation
    if seen.flex is None or seen.flex_whole is None or kind in _OF_THE_MOUTH:
        return seen.flex
    return max(seen.flex, seen.flex_whole)
