"""Turning the head and looking up and down: one judge for four directions."""

from __future__ import annotations

import numpy as np

from shared.liveness import hints
from shared.liveness.challenge import ChallengeType
from shared.liveness.gestures import thresholds
from shared.liveness.gestures.judgement import Judgement, sureness
from shared.liveness.gestures.neutral import Neutral
from shared.liveness.gestures.signals import FaceSignals, Signal

#: Axis, sign of the movement along it, degrees to move.
_MOVES = {
    ChallengeType.TURN_LEFT: ("yaw", 1.0, thresholds.TURN),
    ChallengeType.TURN_RIGHT: ("yaw", -1.0, thresholds.TURN),
    ChallengeType.LOOK_UP: ("pitch", 1.0, thresholds.LOOK_UP),
    ChallengeType.LOOK_DOWN: ("pitch", -1.0, thresholds.LOOK_DOWN),
}


def moved(kind: ChallengeType, signals: FaceSignals, neutral: Neutral) -> tuple[Signal, Signal]:
    """Degrees from the neutral along the axis of `kind`, positive the way it asks; and along the other one, unsigned."""
    axis, sign, _ = _MOVES[kind]
    yaw, pitch = signals.yaw - neutral.yaw, signals.pitch - neutral.pitch
    return (sign * yaw, np.abs(pitch)) if axis == "yaw" else (sign * pitch, np.abs(yaw))


def judge_head(kind: ChallengeType, signals: FaceSignals, neutral: Neutral, since: float) -> Judgement:
    """Whether the head has moved as `kind` asks: from rest, mainly along one axis, and stayed there for two frames."""
    axis, sign, needed = _MOVES[kind]
    along, across = moved(kind, signals, neutral)
    now = signals.since(since)
    rested = np.flatnonzero(along[now] <= thresholds.AT_REST)
    if not len(rested):
        return Judgement(False, 0.0, hints.LOOK_STRAIGHT)
    begun = now.start + int(rested[0])
    course, aside = along[begun:], across[begun:]
    angle, set_out = (signals.yaw, neutral.first_yaw) if axis == "yaw" else (signals.pitch, neutral.first_pitch)
    other = signals.pitch if axis == "yaw" else signals.yaw
    set_out_from = begun + int(np.flatnonzero(course <= thresholds.AT_REST)[-1])
    centre = (thresholds.PLAUSIBLE_YAW if axis == "yaw" else thresholds.PLAUSIBLE_PITCH)[0]
    there = (
        (course >= needed)
        & (sign * (angle[begun:] - centre) >= thresholds.BEYOND[kind])
        & (course * thresholds.CROSS_AXIS >= aside)
        & (sign * (angle[begun:] - set_out) >= thresholds.SET_OUT * needed)
    )
    # On its way, or by where it ends: who comes back from a turn while looking up goes aside, and ends straight.
    aside_on_the_way = abs(float(other[-1] - other[set_out_from]))
    straight = aside_on_the_way <= thresholds.COURSE * course[-1] or aside[-1] <= thresholds.ENDS_STRAIGHT * course[-1]
    confidence = sureness(float(course[-1]), needed)
    if len(course) >= 3 and there[-1] and straight and course[-2] >= 0.6 * needed:
        return Judgement(True, confidence, hints.PASSED)
    just_was = bool(there[signals.times[begun:] >= signals.times[-1] - thresholds.JUST_NOW].any())
    return _not_yet(kind, float(course[-1]) / needed, float(aside[-1]) / needed, confidence, just_was=just_was)


def _not_yet(kind: ChallengeType, reached: float, aside: float, confidence: float, *, just_was: bool) -> Judgement:
    """What is missing, going by how far the head went (shares of what is needed). just_was: it was there, too briefly."""
    if reached <= -thresholds.WRONG_WAY:
        return Judgement(False, 0.0, hints.other_way(kind))
    if aside > thresholds.CROSS_AXIS * max(1.0, reached):
        hint = hints.astray(kind) if reached >= thresholds.ON_THE_WAY else hints.LOOK_STRAIGHT
        return Judgement(False, confidence, hint)
    if reached >= thresholds.ON_THE_WAY:
        return Judgement(False, confidence, hints.further(kind))
    return Judgement(False, confidence, hints.HOLD_IT if just_was else hints.do(kind))
