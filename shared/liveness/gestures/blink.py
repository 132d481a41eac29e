"""The judge of blinks: both eyes are open, close, and are open again."""

from __future__ import annotations

import numpy as np

from shared.liveness import hints
from shared.liveness.challenge import ChallengeType
from shared.liveness.gestures import thresholds
from shared.liveness.gestures.judgement import Judgement, sureness
from shared.liveness.gestures.neutral import Neutral
from shared.liveness.gestures.signals import FaceSignals, Signal

#: Seconds by which a blink may seem longer, since its beginning and end fall between frames.
_BETWEEN_FRAMES = 0.3


def openness(signals: FaceSignals, neutral: Neutral) -> tuple[Signal, Signal]:
    """How far the eyes are open, as a share of their open-eye level: of both together, and of the wider one in view."""
    left = signals.left_eye / max(neutral.left_eye, 1e-6)
    right = signals.right_eye / max(neutral.right_eye, 1e-6)
    # A turned head hides its far eye, whose points are then guesses: that eye counts less the further the head is turned.
    # A head turned to its own left (yaw above 0) hides the left one.
    turned = np.clip(signals.yaw / 60, -0.9, 0.9)
    left_weight = 0.5 - turned / 2
    wider = np.maximum(np.where(left_weight > 0.25, left, 0), np.where(left_weight < 0.75, right, 0))
    return left_weight * left + (1 - left_weight) * right, wider


def judge_blink(signals: FaceSignals, neutral: Neutral, since: float) -> Judgement:
    """Judge whether both eyes were open, then closed, and are open again, all since the challenge started."""
    answer = signals.since(since)
    times = signals.times[answer]
    eyes, wider = (signal[answer] for signal in openness(signals, neutral))
    closed = (eyes < thresholds.CLOSED) & (wider < thresholds.BOTH_CLOSED)
    opened = eyes > thresholds.REOPENED
    if _glimpsed(times, eyes, wider):
        return Judgement(True, sureness(1 - float(eyes[-2]), 1 - thresholds.CLOSED), hints.PASSED)
    shut = np.flatnonzero(closed)
    if not len(shut):
        recent = eyes[times >= times[-1] - thresholds.JUST_NOW]
        half_closed = float(recent.min()) < thresholds.REOPENED < float(recent.max())
        return Judgement(
            False, 0.0, hints.further(ChallengeType.BLINK) if half_closed else hints.do(ChallengeType.BLINK)
        )
    opened_before = np.flatnonzero(opened[: shut[-1]])
    if not len(opened_before):
        return Judgement(False, 0.0, hints.do(ChallengeType.BLINK) if opened[-1] else hints.OPEN_EYES)
    # The blink: from the last open frame before the newest closed one, up to now.
    start = opened_before[-1]
    duration = times[-1] - times[start]
    depth = 1 - float(eyes[start + 1 :].min())
    confidence = sureness(depth, 1 - thresholds.CLOSED)
    if not opened[-1]:
        return Judgement(False, 0.0, hints.OPEN_EYES if closed[-1] else hints.do(ChallengeType.BLINK))
    if 1 - depth > thresholds.SHALLOW and duration > thresholds.SHALLOW_WITHIN:
        return Judgement(False, 0.0, hints.further(ChallengeType.BLINK))
    if duration > thresholds.LONGEST_BLINK + _BETWEEN_FRAMES:
        return Judgement(False, 0.0, hints.BLINK_SHORTER)
    return Judgement(True, confidence, hints.PASSED)


def _glimpsed(times: Signal, eyes: Signal, wider: Signal) -> bool:
    """Whether both lids were lowered in the last but one frame, between two frames with wide open eyes.

    A low frame rate may show no more of a quick blink; at higher rates one frame shows the eyes closed.
    """
    if len(times) < 3:
        return False
    steps = np.diff(times[-3:])
    lowered = eyes[-2] < thresholds.GLIMPSED and wider[-2] < thresholds.BOTH_CLOSED
    wide_open = min(eyes[-1], eyes[-3]) >= thresholds.WIDE_OPEN
    sparse = steps.min() >= thresholds.SPARSE_STEP_LEAST and steps.max() <= thresholds.SPARSE_STEP_MOST
    return bool(sparse and lowered and wide_open)
