"""The judges of gestures: whether the person has made the gesture that a challenge asks for.

A gesture is a movement: from the person's neutral, learned from the frames at hand, to the amount needed, on a plausible
course. So no single frame, like a photo, can be one.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.liveness import hints
from shared.liveness.challenge import ChallengeType
from shared.liveness.frame import Frame
from shared.liveness.gestures.blink import judge_blink
from shared.liveness.gestures.head import judge_head
from shared.liveness.gestures.judgement import Judgement
from shared.liveness.gestures.mouth import judge_open_mouth, judge_smile
from shared.liveness.gestures.neutral import learn_neutral
from shared.liveness.gestures.signals import FaceSignals

__all__ = ["Judgement", "judge"]


def judge(kind: ChallengeType, frames: Sequence[Frame], *, since: float, opening_until: float) -> Judgement:
    """Judge whether the frames, oldest first, show the gesture of the challenge that started at `since`.

    frames: those of the session's opening, which ends at `opening_until`, and the recent ones.
    """
    signals = FaceSignals(frames)
    if not len(signals) or signals.times[-1] < since:
        return Judgement(False, 0.0, hints.do(kind))
    neutral = learn_neutral(signals, opening_until)
    match kind:
        case ChallengeType.BLINK:
            return judge_blink(signals, neutral, since)
        case ChallengeType.SMILE:
            return judge_smile(signals, neutral, since)
        case ChallengeType.OPEN_MOUTH:
            return judge_open_mouth(signals, neutral, since)
        case _:
            return judge_head(kind, signals, neutral, since)
