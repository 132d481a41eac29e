"""The judges of smiles and open mouths, which tell the two apart from each other and from speech."""

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
    """How far the mouth has widened and its corners have risen from the neutral, in inter-ocular distances."""
    smile: Signal = signals.smile - neutral.smile
    return smile


def lips_parted(signals: FaceSignals, neutral: Neutral) -> Signal:
    """How far the lips have parted from the neutral, less what a grin parts them, in inter-ocular distances."""
    grin = thresholds.GRIN_SHARE * smile_amount(signals, neutral).clip(min=0)
    parted: Signal = signals.mouth_open - neutral.mouth_open - grin
    return parted


def judge_smile(signals: FaceSignals, neutral: Neutral, since: float) -> Judgement:
    """Judge whether the mouth smiled for long enough, and neither gapes nor merely relaxed from pursed lips."""
    smile = smile_amount(signals, neutral)
    judgement = _judge_sustained(ChallengeType.SMILE, signals, smile, thresholds.SMILE, since)
    if judgement.met and signals.mouth_open[-1] - neutral.mouth_open > thresholds.GAPING * smile[-1]:
        return Judgement(False, 0.0, hints.do(ChallengeType.SMILE))
    if judgement.met and not _beyond_first_rest(signals):
        return Judgement(False, 0.0, hints.further(ChallengeType.SMILE))
    return judgement


def _beyond_first_rest(signals: FaceSignals) -> bool:
    """Whether the mouth smiles by half a smile more than in its first frames, as far as those were no smile."""
    first = median(signals.smile[signals.times <= signals.times[0] + thresholds.FIRST_REST])
    rest = min(first, thresholds.SMILING_AT_REST)
    return float(signals.smile[-1]) - rest >= thresholds.BEYOND_FIRST_REST * thresholds.SMILE


def judge_open_mouth(signals: FaceSignals, neutral: Neutral, since: float) -> Judgement:
    """Judge whether the lips parted, by more than a grin parts them, for long enough."""
    return _judge_sustained(
        ChallengeType.OPEN_MOUTH, signals, lips_parted(signals, neutral), thresholds.OPEN_MOUTH, since
    )


def _judge_sustained(
    kind: ChallengeType, signals: FaceSignals, amount: Signal, needed: float, since: float
) -> Judgement:
    """Judge whether `amount` rose from rest to what is needed and stayed there, while the mouth was in view."""
    # Degrees from where the head mostly is, not from the neutral: a camera at the side sees a mouth well, too.
    away = np.maximum(np.abs(signals.yaw - median(signals.yaw)), np.abs(signals.pitch - median(signals.pitch)))
    in_view = (
        abs(signals.yaw[-1] - thresholds.FACING_YAW) <= thresholds.MOUTH_SEEN_YAW
        and abs(signals.pitch[-1] - thresholds.FACING_PITCH) <= thresholds.MOUTH_SEEN_PITCH
    )
    if away[-1] > thresholds.MOUTH_HIDDEN or not in_view:
        return Judgement(False, 0.0, hints.LOOK_STRAIGHT)
    answer = signals.since(since)
    course = amount[answer]
    at_rest = np.flatnonzero(course < needed / 2)
    confidence = sureness(float(course[-1]), needed)
    if not len(at_rest):
        return Judgement(False, 0.0, hints.relax(kind))
    reached = (amount >= needed) & (away <= thresholds.MOUTH_HIDDEN)
    if signals.sustained(reached, since) >= thresholds.SUSTAINED:
        if not _beyond_rest(signals, amount, needed):
            return Judgement(False, 0.0, hints.HOLD_STILL)
        return Judgement(True, confidence, hints.PASSED)
    if course[-1] >= thresholds.ON_THE_WAY * needed:
        return Judgement(False, confidence, hints.further(kind))
    just_reached = bool(reached[answer][signals.times[answer] >= signals.times[-1] - thresholds.JUST_NOW].any())
    return Judgement(False, confidence, hints.HOLD_IT if just_reached else hints.do(kind))


def _beyond_rest(signals: FaceSignals, amount: Signal, needed: float) -> bool:
    """Whether the mouth was seen at rest in the present pose before the gesture, and shows clearly more than there.

    Any earlier time will do: a person who smiles while coming back from a turn was seen looking straight before the turn.
    Rules out pursed lips that relax, and what a turn of the head seems to do to a mouth.
    """
    below = np.flatnonzero(amount < needed)
    before = slice(int(below[-1]) + 1 if len(below) else 0)
    turned = np.maximum(np.abs(signals.yaw - signals.yaw[-1]), np.abs(signals.pitch - signals.pitch[-1]))[before]
    in_pose = amount[before][turned <= thresholds.MOUTH_CALM]
    if np.count_nonzero(in_pose < needed / 2) < 2:
        return False
    return float(amount[-1] - median(in_pose)) >= thresholds.BEYOND_REST * needed
