"""Smiling, and opening the mouth: told apart from each other and from speech."""

from __future__ import annotations

import numpy as np

from shared.liveness import hints
from shared.liveness.challenge import ChallengeType
from shared.liveness.gestures import thresholds
from shared.liveness.gestures.judgement import Judgement, sureness
from shared.liveness.gestures.neutral import Neutral
from shared.liveness.gestures.quantiles import median
from shared.liveness.gestures.signals import FaceSignals, Signal


def smile_amount(signals: FaceSignals, neutral: Neutral) -> Signal:
    """How far the mouth has grown and its corners have risen, in inter-ocular distances."""
    smile: Signal = signals.smile - neutral.smile
    return smile


def lips_parted(signals: FaceSignals, neutral: Neutral) -> Signal:
    """How far the lips have parted beyond what a grin parts them, in inter-ocular distances."""
    parted: Signal = (
        signals.mouth_open - neutral.mouth_open - thresholds.GRIN_SHARE * smile_amount(signals, neutral).clip(min=0)
    )
    return parted


def judge_smile(signals: FaceSignals, neutral: Neutral, since: float) -> Judgement:
    """Whether the mouth has grown wide and its corners have risen, and stayed so, but not because it gapes."""
    smile = smile_amount(signals, neutral)
    judgement = _judge_held(ChallengeType.SMILE, signals, smile, thresholds.SMILE, since)
    if judgement.met and signals.mouth_open[-1] - neutral.mouth_open > thresholds.GAPING * smile[-1]:
        return Judgement(False, 0.0, hints.do(ChallengeType.SMILE))
    if judgement.met and not _beyond_first(signals):
        return Judgement(False, 0.0, hints.further(ChallengeType.SMILE))
    return judgement


def _beyond_first(signals: FaceSignals) -> bool:
    """Whether it is half a smile beyond what the mouth was first of all, unless that was one: else pursed lips relaxed."""
    first = median(signals.smile[signals.times <= signals.times[0] + thresholds.FIRST_REST])
    rest = min(first, thresholds.SMILING_AT_REST[0])
    return float(signals.smile[-1]) - rest >= thresholds.SET_OUT * thresholds.SMILE


def judge_open_mouth(signals: FaceSignals, neutral: Neutral, since: float) -> Judgement:
    """Whether the lips have parted, more than a grin parts them, and stayed so."""
    return _judge_held(ChallengeType.OPEN_MOUTH, signals, lips_parted(signals, neutral), thresholds.OPEN_MOUTH, since)


def _judge_held(kind: ChallengeType, signals: FaceSignals, amount: Signal, needed: float, since: float) -> Judgement:
    # From where the head mostly is, not from the neutral: a camera at the side sees a mouth as well as one in front.
    away = np.maximum(np.abs(signals.yaw - median(signals.yaw)), np.abs(signals.pitch - median(signals.pitch)))
    facing = abs(signals.yaw[-1] - thresholds.PLAUSIBLE_YAW[0]) <= thresholds.MOUTH_SEEN[0] and (
        abs(signals.pitch[-1] - thresholds.PLAUSIBLE_PITCH[0]) <= thresholds.MOUTH_SEEN[1]
    )
    if away[-1] > thresholds.MOUTH_HIDDEN or not facing:
        return Judgement(False, 0.0, hints.LOOK_STRAIGHT)
    now = signals.since(since)
    course = amount[now]
    rested = np.flatnonzero(course < needed / 2)
    reached = float(course[-1])
    confidence = sureness(reached, needed)
    if not len(rested):
        return Judgement(False, 0.0, hints.relax(kind))
    there = (amount >= needed) & (away <= thresholds.MOUTH_HIDDEN)
    if signals.sustained(there, since) >= thresholds.SUSTAINED:
        if not _beyond_rest(signals, amount, needed):
            return Judgement(False, 0.0, hints.HOLD_STILL)
        return Judgement(True, confidence, hints.PASSED)
    if reached >= thresholds.ON_THE_WAY * needed:
        return Judgement(False, confidence, hints.further(kind))
    just_was = bool(there[now][signals.times[now] >= signals.times[-1] - thresholds.JUST_NOW].any())
    return Judgement(False, confidence, hints.HOLD_IT if just_was else hints.do(kind))


def _beyond_rest(signals: FaceSignals, amount: Signal, needed: float) -> bool:
    """Whether the mouth was at rest before this, and mostly had less, while the head stood much as it does now.

    Whenever that was: who smiles while the head comes back from a turn has been seen looking straight before it. Lips that
    were pursed, and are no more, have but come back; and what a head that turns does to a mouth is no gesture of it.
    """
    below = np.flatnonzero(amount < needed)
    before = slice(int(below[-1]) + 1 if len(below) else 0)
    astray = np.maximum(np.abs(signals.yaw - signals.yaw[-1]), np.abs(signals.pitch - signals.pitch[-1]))[before]
    here = amount[before][astray <= thresholds.MOUTH_CALM]
    if np.count_nonzero(here < needed / 2) < 2:
        return False
    return float(amount[-1] - median(here)) >= thresholds.BEYOND_REST * needed
