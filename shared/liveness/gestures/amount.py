"""How much of a gesture each frame shows, in the measure that the gesture's judge uses."""

from __future__ import annotations

from shared.liveness.challenge import ChallengeType
from shared.liveness.gestures import thresholds
from shared.liveness.gestures.blink import openness
from shared.liveness.gestures.head import moved
from shared.liveness.gestures.mouth import lips_parted, smile_amount
from shared.liveness.gestures.neutral import Neutral
from shared.liveness.gestures.signals import FaceSignals, Signal

#: The amount that each gesture needs at least; its judge asks for more (a course, a duration, a head that faces the camera).
NEEDED: dict[ChallengeType, float] = {
    ChallengeType.TURN_LEFT: thresholds.TURN,
    ChallengeType.TURN_RIGHT: thresholds.TURN,
    ChallengeType.LOOK_UP: thresholds.LOOK_UP,
    ChallengeType.LOOK_DOWN: thresholds.LOOK_DOWN,
    ChallengeType.BLINK: 1 - thresholds.CLOSED,
    ChallengeType.SMILE: thresholds.SMILE,
    ChallengeType.OPEN_MOUTH: thresholds.OPEN_MOUTH,
}


def amount(kind: ChallengeType, signals: FaceSignals, neutral: Neutral) -> Signal:
    """How much of the gesture each frame shows, from the neutral, in the unit of `NEEDED`.

    Degrees for the head, the share of the open-eye level by which the eyes are closed, inter-ocular distances for the mouth.
    """
    match kind:
        case ChallengeType.BLINK:
            return 1 - openness(signals, neutral)[0]
        case ChallengeType.SMILE:
            return smile_amount(signals, neutral)
        case ChallengeType.OPEN_MOUTH:
            return lips_parted(signals, neutral)
        case _:
            return moved(kind, signals, neutral)[0]
