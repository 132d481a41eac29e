"""Gestures that nobody asked for: a recording shows all it has, in its own order, until what is asked for comes by."""

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

#: How many times as much as its own challenge asks for: a turn of 28 degrees, a smile that nobody overlooks.
PLAIN = 1.4
#: Share of what is needed under which a gesture has not begun: what is over from the one before is none.
_RESTED = 0.5
#: Seconds from the pass before in which a person still comes back from that gesture.
_COMING_BACK = 0.5
#: Frames in a row that must show it.
_LEAST = 2


def unasked(
    frames: Sequence[Frame], asked: Sequence[ChallengeType], *, since: float, opening_until: float
) -> float | None:
    """How many kinds of gesture were made from rest, and plainly, that nobody had asked for; None without a face.

    frames: oldest first, those before `since` for the neutral alone. asked: the challenges so far; the last is the one
    that began at `since`, and was passed. opening_until: as in `judge`.

    Not counted are blinks, what was asked for earlier, and the opposite of what is asked for: people mix up left and right.
    Measured over whole sessions: people 0, in 2 of 430 at 8 and 15 frames a second and in 11 of 199 at 5 a second 1, never
    more. Recordings that happened to pass all three challenges, where each may take 10 s: half 2 or more, a third 3 or
    more, and more so where they may take longer; docs/security.md has them all.
    """
    signals = FaceSignals(frames)
    now = signals.since(since + _COMING_BACK)
    if not len(signals.times[now]):
        return None
    neutral = learn_neutral(signals, opening_until)
    kinds = set(ChallengeType) - {ChallengeType.BLINK, *asked, OPPOSITES.get(asked[-1])}
    courses = (_course(kind, signals, neutral) for kind in kinds)
    return float(sum(_made(share[now], told[now]) for share, told in courses))


def _course(kind: ChallengeType, signals: FaceSignals, neutral: Neutral) -> tuple[Signal, Mask]:
    """How much of `kind` each frame shows, as a share of what its challenge asks for; and where that can be told."""
    share: Signal = amount(kind, signals, neutral) / NEEDED[kind]
    if kind in HEAD_MOVEMENTS:
        along, across = moved(kind, signals, neutral)
        return share, along * thresholds.CROSS_AXIS >= across
    away = np.maximum(np.abs(signals.yaw - neutral.yaw), np.abs(signals.pitch - neutral.pitch))
    return share, away <= thresholds.MOUTH_HIDDEN


def _made(share: Signal, told: Mask) -> bool:
    rested = np.flatnonzero(share < _RESTED)
    if not len(rested):
        return False
    in_a_row = 0
    for plain in (share >= PLAIN)[rested[0] :] & told[rested[0] :]:
        in_a_row = in_a_row + 1 if plain else 0
        if in_a_row == _LEAST:
            return True
    return False
