"""The judge of gestures that nobody asked for: a recording shows all its gestures, until one happens to be the right one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shared.liveness.challenge import HEAD_MOVEMENTS, OPPOSITES, ChallengeType
from shared.liveness.frame import Frame
from shared.liveness.gestures import thresholds
from shared.liveness.gestures.amount import NEEDED, amount
from shared.liveness.gestures.head import moved
from shared.liveness.gestures.neutral import Neutral, learn_neutral
from shared.liveness.gestures.signals import FaceSignals, Mask, Signal

#: How many times the amount that its own challenge needs an unasked gesture must reach: enough that nobody overlooks it.
PLAIN = 1.4
#: Share of the amount needed under which a gesture has not begun: the remains of the one before do not count.
_RESTED = 0.5
#: Seconds after the previous pass in which a person still comes back from that gesture.
_COMING_BACK = 0.5
#: Least frames in a row that show the gesture plainly.
_LEAST = 2


def unasked(
    frames: Sequence[Frame], asked: Sequence[ChallengeType], *, since: float, opening_until: float
) -> float | None:
    """The number of kinds of gesture that were made plainly, from rest, and not asked for; None without a usable frame.

    Not counted are blinks, gestures asked for earlier, and the opposite of the one asked for: people mix up left and right.

    frames: oldest first, those before `since` only for the neutral; asked: the challenges so far, the last of which began at
    `since`; opening_until: the end of the session's opening.
    """
    signals = FaceSignals(frames)
    examined = signals.since(since + _COMING_BACK)
    if not len(signals.times[examined]):
        return None
    neutral = learn_neutral(signals, opening_until)
    kinds = set(ChallengeType) - {ChallengeType.BLINK, *asked, OPPOSITES.get(asked[-1])}
    courses = (_course(kind, signals, neutral) for kind in kinds)
    return float(sum(_was_made(share[examined], measurable[examined]) for share, measurable in courses))


def _course(kind: ChallengeType, signals: FaceSignals, neutral: Neutral) -> tuple[Signal, Mask]:
    """How much of the gesture each frame shows, as a share of the amount needed; and whether that can be measured there."""
    share: Signal = amount(kind, signals, neutral) / NEEDED[kind]
    if kind in HEAD_MOVEMENTS:
        along, across = moved(kind, signals, neutral)
        return share, along * thresholds.CROSS_AXIS >= across
    away = np.maximum(np.abs(signals.yaw - neutral.yaw), np.abs(signals.pitch - neutral.pitch))
    return share, away <= thresholds.MOUTH_HIDDEN


def _was_made(share: Signal, measurable: Mask) -> bool:
    """Whether a gesture went from rest to a plain amount, for enough frames in a row."""
    rested = np.flatnonzero(share < _RESTED)
    if not len(rested):
        return False
    in_a_row = 0
    for plain in (share >= PLAIN)[rested[0] :] & measurable[rested[0] :]:
        in_a_row = in_a_row + 1 if plain else 0
        if in_a_row == _LEAST:
            return True
    return False
