"""The judge of faces in which nothing moves but the eyes or the mouth: a print with holes, and a person behind it."""

from __future__ import annotations

from collections.abc import Sequence

from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence.sight import recent
from shared.liveness.frame import Frame

#: `Observation.flex` at which the score is a half: most living faces show more within a challenge.
LIVING = 0.02
#: Number of largest changes that do not count, as a frame may be a bad picture: with few and with many comparisons.
_SPARED_OF_FEW, _SPARED_OF_MANY = 1, 2
#: Comparisons from which there are many.
_MANY = 10
#: Least comparisons for a score: fewer may show nothing of a living face.
_LEAST = 5
#: Gestures that a person can make through a hole for the mouth, around which everything may be cut out.
_OF_THE_MOUTH = (ChallengeType.SMILE, ChallengeType.OPEN_MOUTH)


def stiff(frames: Sequence[Frame], kind: ChallengeType, since: float) -> float | None:
    """How stiff the face stayed but for the gesture, 0 (it lived) to 1 (a sheet); None with too few comparisons.

    frames: oldest first; since: when the challenge began.
    """
    changes = sorted(change for f in recent(frames, since) if (change := _change(f, kind)) is not None)
    if len(changes) < _LEAST:
        return None
    spared = _SPARED_OF_MANY if len(changes) >= _MANY else _SPARED_OF_FEW
    return LIVING / (LIVING + changes[-1 - spared])


def _change(frame: Frame, kind: ChallengeType) -> float | None:
    """The change of the face within two seconds; near the mouth, too, if the gesture is not the mouth's."""
    seen = frame.observation
    if seen.flex is None or seen.flex_whole is None or kind in _OF_THE_MOUTH:
        return seen.flex
    return max(seen.flex, seen.flex_whole)
