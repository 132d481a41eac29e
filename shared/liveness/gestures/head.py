"""The judge of head movements: one for turning left and right, looking up and down."""

from __future__ import annotations

import numpy as np

from shared.liveness import hints
from shared.liveness.challenge import ChallengeType
from shared.liveness.gestures import thresholds
from shared.liveness.gestures.judgement import Judgement, sureness
from shared.liveness.gestures.neutral import Neutral
from shared.liveness.gestures.signals import FaceSignals, Signal

#: The axis of each head movement, the sign of the movement along the axis, and the degrees that it needs.
MOVEMENTS = {
    ChallengeType.TURN_LEFT: ("yaw", 1.0, thresholds.TURN),
    ChallengeType.TURN_RIGHT: ("yaw", -1.0, thresholds.TURN),
    ChallengeType.LOOK_UP: ("pitch", 1.0, thresholds.LOOK_UP),
    ChallengeType.LOOK_DOWN: ("pitch", -1.0, thresholds.LOOK_DOWN),
}
#: Share of the degrees needed by which the last but one frame must have moved as well: one frame alone may be mismeasured.
_SECOND_FRAME = 0.6


def moved(kind: ChallengeType, signals: FaceSignals, neutral: Neutral) -> tuple[Signal, Signal]:
    """Degrees from the neutral: along the axis of the movement, positive in its direction; and along the other, unsigned."""
    axis, sign, _ = MOVEMENTS[kind]
    yaw, pitch = signals.yaw - neutral.yaw, signals.pitch - neutral.pitch
    return (sign * yaw, np.abs(pitch)) if axis == "yaw" else (sign * pitch, np.abs(yaw))


def judge_head(kind: ChallengeType, signals: FaceSignals, neutral: Neutral, since: float) -> Judgement:
    """Judge whether the head moved as `kind` asks: from rest, mainly along one axis, and stayed there for two frames."""
    axis, sign, needed = MOVEMENTS[kind]
    along, across = moved(kind, signals, neutral)
    answer = signals.since(since)
    at_rest = np.flatnonzero(along[answer] <= thresholds.AT_REST)
    if not len(at_rest):
        return Judgement(False, 0.0, hints.LOOK_STRAIGHT)
    # The course from the first rest since the challenge started, and the last rest in that course.
    begin = answer.start + int(at_rest[0])
    course, aside = along[begin:], across[begin:]
    last_rest = begin + int(np.flatnonzero(course <= thresholds.AT_REST)[-1])
    if axis == "yaw":
        angle, other, first_rest, facing = signals.yaw, signals.pitch, neutral.first_yaw, thresholds.FACING_YAW
    else:
        angle, other, first_rest, facing = signals.pitch, signals.yaw, neutral.first_pitch, thresholds.FACING_PITCH
    reached = (
        (course >= needed)
        & (sign * (angle[begin:] - facing) >= thresholds.BEYOND_FACING[kind])
        & (course * thresholds.CROSS_AXIS >= aside)
        & (sign * (angle[begin:] - first_rest) >= thresholds.BEYOND_FIRST_REST * needed)
    )
    # Straight on the way, or at its end: a person who comes back from a turn while looking up goes aside, and ends straight.
    detour = abs(float(other[-1] - other[last_rest]))
    straight = detour <= thresholds.MOST_DETOUR * course[-1] or aside[-1] <= thresholds.ENDS_STRAIGHT * course[-1]
    confidence = sureness(float(course[-1]), needed)
    if len(course) >= 3 and reached[-1] and straight and course[-2] >= _SECOND_FRAME * needed:
        return Judgement(True, confidence, hints.PASSED)
    just_reached = bool(reached[signals.times[begin:] >= signals.times[-1] - thresholds.JUST_NOW].any())
    return _not_yet(kind, float(course[-1]) / needed, float(aside[-1]) / needed, confidence, just_reached=just_reached)


def _not_yet(kind: ChallengeType, share: float, aside: float, confidence: float, *, just_reached: bool) -> Judgement:
    """The judgement of a movement that is not met, with the hint about what is missing.

    share, aside: degrees along the axis and along the other, over those needed. just_reached: the head went far enough a
    moment ago, but too briefly.
    """
    if share <= -thresholds.WRONG_WAY:
        return Judgement(False, 0.0, hints.other_way(kind))
    if aside > thresholds.CROSS_AXIS * max(1.0, share):
        hint = hints.astray(kind) if share >= thresholds.ON_THE_WAY else hints.LOOK_STRAIGHT
        return Judgement(False, confidence, hint)
    if share >= thresholds.ON_THE_WAY:
        return Judgement(False, confidence, hints.further(kind))
    return Judgement(False, confidence, hints.HOLD_IT if just_reached else hints.do(kind))
