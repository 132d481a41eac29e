"""Blinking: both eyes close and open again."""

from __future__ import annotations

import numpy as np

from shared.liveness import hints
from shared.liveness.challenge import ChallengeType
from shared.liveness.gestures import thresholds
from shared.liveness.gestures.judgement import Judgement, sureness
from shared.liveness.gestures.neutral import Neutral
from shared.liveness.gestures.signals import FaceSignals, Signal


def openness(signals: FaceSignals, neutral: Neutral) -> tuple[Signal, Signal]:
    """How far the eyes are open, as a share of their own open level: both together, and the wider one of those seen."""
    left = signals.left_eye / max(neutral.left_eye, 1e-6)
    right = signals.right_eye / max(neutral.right_eye, 1e-6)
    # A turned head hides its far eye, whose points are then guesses: it counts less the further the head is turned.
    far = np.clip(signals.yaw / 60, -0.9, 0.9)
    # Turned to the own left (yaw above 0) the left eye is the far one.
    weight = 0.5 - far / 2
    wider = np.maximum(np.where(weight > 0.25, left, 0), np.where(weight < 0.75, right, 0))
    return weight * left + (1 - weight) * right, wider


def judge_blink(signals: FaceSignals, neutral: Neutral, since: float) -> Judgement:
    """Whether both eyes were open, then closed, and are open again, all since the challenge began."""
    now = signals.since(since)
    at = signals.times[now]
    eyes, wider = (signal[now] for signal in openness(signals, neutral))
    closed = (eyes < thresholds.CLOSED) & (wider < thresholds.BOTH_CLOSED)
    opened = eyes > thresholds.REOPENED
    if _glimpsed(at, eyes, wider):
        return Judgement(True, sureness(1 - float(eyes[-2]), 1 - thresholds.CLOSED), hints.PASSED)
    shut = np.flatnonzero(closed)
    if not len(shut):
        recent = eyes[at >= at[-1] - thresholds.JUST_NOW]
        half = float(recent.min()) < thresholds.REOPENED < float(recent.max())
        return Judgement(False, 0.0, hints.further(ChallengeType.BLINK) if half else hints.do(ChallengeType.BLINK))
    before = np.flatnonzero(opened[: shut[-1]])
    if not len(before):
        return Judgement(False, 0.0, hints.do(ChallengeType.BLINK) if opened[-1] else hints.OPEN_EYES)
    # The latest run of frames between two open ones.
    start = before[-1]
    depth = 1 - float(eyes[start + 1 :].min())
    confidence = sureness(depth, 1 - thresholds.CLOSED)
    if not opened[-1]:
        return Judgement(False, 0.0, hints.OPEN_EYES if closed[-1] else hints.do(ChallengeType.BLINK))
    shallow, quick = thresholds.SHALLOW
    if 1 - depth > shallow and at[-1] - at[start] > quick:
        return Judgement(False, 0.0, hints.further(ChallengeType.BLINK))
    if at[-1] - at[start] > thresholds.LONGEST_BLINK + 0.3:
        return Judgement(False, 0.0, hints.BLINK_SHORTER)
    return Judgement(True, confidence, hints.PASSED)


def _glimpsed(at: Signal, eyes: Signal, wider: Signal) -> bool:
    """Whether both lids were well on their way in the newest frame but one, between two with wide open eyes.

    Of a quick blink a low frame rate may show no more than that; at higher ones there is a frame that shows it closed.
    """
    if len(at) < 3:
        return False
    slowest, quickest = thresholds.FEW_FRAMES
    steps = np.diff(at[-3:])
    lowered = eyes[-2] < thresholds.GLIMPSED and wider[-2] < thresholds.BOTH_CLOSED
    wide_open = min(eyes[-1], eyes[-3]) >= thresholds.WIDE_OPEN
    return bool(quickest <= steps.min() and steps.max() <= slowest and lowered and wide_open)
