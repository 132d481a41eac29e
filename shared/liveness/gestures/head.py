"""Turning the head and looking up and down: one judge for four directions."""

from __future__ import annotations

import numpy as np

from shared.liveness import hints
from shared.liveness.challenge import ChallengeType
from shared.liveness.gestures import thresholds
from shared.liveness.gestures.judgement import Judgement, sureness
from shared.liveness.gestures.neutral import Neutral
from shared.liveness.gestures.track import Signal, Track

#: Axis, sign of the movement along it, degrees to move.
_MOVES = {
    ChallengeType.TURN_LEFT: ("yaw", 1.0, thresholds.TURN),
    ChallengeType.TURN_RIGHT: ("yaw", -1.0, thresholds.TURN),
    ChallengeType.LOOK_UP: ("pitch", 1.0, thresholds.LOOK_UP),
    ChallengeType.LOOK_DOWN: ("pitch", -1.0, thresholds.LOOK_DOWN),
}


def moved(kind: ChallengeType, track: Track, neutral: Neutral) -> tuple[Signal, Signal]:
    """Degrees from the neutral along the axis of `kind`, positive the way it asks; and along the other one, unsigned."""
    axis, sign, _ = _MOVES[kind]
    yaw, pitch = track.yaw - neutral.yaw, track.pitch - neutral.pitch
    return (sign * yaw, np.abs(pitch)) if axis == "yaw" else (sign * pitch, np.abs(yaw))


def judge_head(kind: ChallengeType, track: Track, neutral: Neutral, since: float) -> Judgement:
    """Whether the head has moved as `kind` asks: from rest, mainly along one axis, and stayed there for two frames."""
    axis, sign, needed = _MOVES[kind]
    along, across = moved(kind, track, neutral)
    now = track.since(since)
    rested = np.flatnonzero(along[now] <= thresholds.AT_REST)
    if not len(rested):
        return Judgement(False, 0.0, hints.LOOK_STRAIGHT)
    course = along[now][rested[0] :]
    if axis == "yaw":
        angle, set_out, centre = track.yaw, neutral.first_yaw, thresholds.PLAUSIBLE_YAW[0]
    else:
        angle, set_out, centre = track.pitch, neutral.first_pitch, thresholds.PLAUSIBLE_PITCH[0]
    beyond = sign * (angle[-1] - centre)
    reached = float(course[-1])
    there = (
        reached >= needed
        and beyond >= thresholds.BEYOND[kind]
        and reached * thresholds.CROSS_AXIS >= across[-1]
        and sign * (angle[-1] - set_out) >= thresholds.SET_OUT * needed
    )
    confidence = sureness(reached, needed)
    if len(course) >= 3 and there and course[-2] >= 0.6 * needed:
        return Judgement(True, confidence, hints.PASSED)
    if reached <= -needed:
        return Judgement(False, 0.0, hints.other_way(kind))
    if reached >= 0.4 * needed:
        return Judgement(False, confidence, hints.further(kind))
    return Judgement(False, confidence, hints.do(kind))
