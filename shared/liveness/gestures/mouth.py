"""Smiling, and opening the mouth: told apart from each other and from speech."""

from __future__ import annotations

import numpy as np

from shared.liveness import hints
from shared.liveness.challenge import ChallengeType
from shared.liveness.gestures import thresholds
from shared.liveness.gestures.judgement import Judgement, sureness
from shared.liveness.gestures.neutral import Neutral
from shared.liveness.gestures.quantiles import median
from shared.liveness.gestures.signals import Signal, Track


def smiling(track: Track, neutral: Neutral) -> Signal:
    """How far the mouth has grown and its corners have risen, in inter-ocular distances."""
    smile: Signal = track.smile - neutral.smile
    return smile


def opening(track: Track, neutral: Neutral) -> Signal:
    """How far the lips have parted beyond what a grin parts them, in inter-ocular distances."""
    parted: Signal = track.mouth_open - neutral.mouth_open - thresholds.GRIN_SHARE * smiling(track, neutral).clip(min=0)
    return parted


def judge_smile(track: Track, neutral: Neutral, since: float) -> Judgement:
    """Whether the mouth has grown wide and its corners have risen, and stayed so, but not because it gapes."""
    smile = smiling(track, neutral)
    judgement = _judge_held(ChallengeType.SMILE, track, smile, thresholds.SMILE, since)
    if judgement.passed and track.mouth_open[-1] - neutral.mouth_open > thresholds.GAPING * smile[-1]:
        return Judgement(False, 0.0, hints.do(ChallengeType.SMILE))
    if judgement.passed and not _beyond_first(track):
        return Judgement(False, 0.0, hints.further(ChallengeType.SMILE))
    return judgement


def _beyond_first(track: Track) -> bool:
    """Whether it is half a smile beyond what the mouth was first of all, unless that was one: else pursed lips relaxed."""
    first = median(track.smile[track.at <= track.at[0] + thresholds.FIRST_REST])
    rest = min(first, thresholds.SMILING_AT_REST[0])
    return float(track.smile[-1]) - rest >= thresholds.SET_OUT * thresholds.SMILE


def judge_open_mouth(track: Track, neutral: Neutral, since: float) -> Judgement:
    """Whether the lips have parted, more than a grin parts them, and stayed so."""
    return _judge_held(ChallengeType.OPEN_MOUTH, track, opening(track, neutral), thresholds.OPEN_MOUTH, since)


def _judge_held(kind: ChallengeType, track: Track, amount: Signal, needed: float, since: float) -> Judgement:
    # From where the head mostly is, not from the neutral: a camera at the side sees a mouth as well as one in front.
    away = np.maximum(np.abs(track.yaw - median(track.yaw)), np.abs(track.pitch - median(track.pitch)))
    facing = abs(track.yaw[-1] - thresholds.PLAUSIBLE_YAW[0]) <= thresholds.MOUTH_SEEN[0] and (
        abs(track.pitch[-1] - thresholds.PLAUSIBLE_PITCH[0]) <= thresholds.MOUTH_SEEN[1]
    )
    if away[-1] > thresholds.MOUTH_HIDDEN or not facing:
        return Judgement(False, 0.0, hints.LOOK_STRAIGHT)
    now = track.since(since)
    course = amount[now]
    rested = np.flatnonzero(course < needed / 2)
    reached = float(course[-1])
    confidence = sureness(reached, needed)
    if not len(rested):
        return Judgement(False, 0.0, hints.relax(kind))
    there = (amount >= needed) & (away <= thresholds.MOUTH_HIDDEN)
    if track.sustained(there, since) >= thresholds.SUSTAINED:
        if not _beyond_rest(track, amount, needed):
            return Judgement(False, 0.0, hints.HOLD_STILL)
        return Judgement(True, confidence, hints.PASSED)
    if reached >= thresholds.ON_THE_WAY * needed:
        return Judgement(False, confidence, hints.further(kind))
    just_was = bool(there[now][track.at[now] >= track.at[-1] - thresholds.JUST_NOW].any())
    return Judgement(False, confidence, hints.HOLD_IT if just_was else hints.do(kind))


def _beyond_rest(track: Track, amount: Signal, needed: float) -> bool:
    """Whether the mouth was at rest before this, and mostly had less, while the head stood much as it does now.

    Whenever that was: who smiles while the head comes back from a turn has been seen looking straight before it. Lips that
    were pursed, and are no more, have but come back; and what a head that turns does to a mouth is no gesture of it.
    """
    below = np.flatnonzero(amount < needed)
    before = slice(int(below[-1]) + 1 if len(below) else 0)
    astray = np.maximum(np.abs(track.yaw - track.yaw[-1]), np.abs(track.pitch - track.pitch[-1]))[before]
    here = amount[before][astray <= thresholds.MOUTH_CALM]
    if np.count_nonzero(here < needed / 2) < 2:
        return False
    return float(amount[-1] - median(here)) >= thresholds.BEYOND_REST * needed
