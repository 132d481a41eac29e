"""The neutral: how a person's face looks at rest, learned from the frames at hand. Gestures are measured from there.

Absolute thresholds would fail: people's eyes, mouths and cameras differ too much.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shared.liveness.gestures import thresholds
from shared.liveness.gestures.quantiles import median, quantile
from shared.liveness.gestures.signals import FaceSignals, Mask, Signal

#: Quantiles of the frames at hand that are taken for open eyes, for resting lips and for a mouth without a smile.
_EYE_QUANTILE, _MOUTH_QUANTILE, _SMILE_QUANTILE = 0.8, 0.2, 0.3


@dataclass(frozen=True, slots=True)
class Neutral:
    """A person's face at rest: angles in degrees, eyes and mouth in the units of `Face`."""

    yaw: float
    pitch: float
    left_eye: float
    right_eye: float
    mouth_open: float
    smile: float
    #: Where the head first rested, if it faced the camera more there than at its neutral; else its neutral.
    first_yaw: float
    first_pitch: float


def learn_neutral(signals: FaceSignals, opening_until: float) -> Neutral:
    """Learn a person's neutral from the frames at hand; `signals` must not be empty.

    The head's neutral is where it rests in the opening (up to `opening_until`), refined by later rest near there. Eyes rest
    open, mouths rest closed and without a smile: their neutrals are high and low quantiles over all frames at hand, which a
    gesture in progress does not shift. For the eyes only frames count in which the head is near its neutral, if there are
    enough; for a mouth that smiles or is open in most frames, a lower quantile.
    """
    opening = signals.times <= opening_until
    yaw, first_yaw = _resting_angle(signals, signals.yaw, opening, thresholds.FACING_YAW, thresholds.PLAUSIBLE_YAW)
    pitch, first_pitch = _resting_angle(
        signals, signals.pitch, opening, thresholds.FACING_PITCH, thresholds.PLAUSIBLE_PITCH
    )
    straight = np.maximum(np.abs(signals.yaw - yaw), np.abs(signals.pitch - pitch)) <= thresholds.STRAIGHT
    return Neutral(
        yaw=yaw,
        pitch=pitch,
        left_eye=_open_eye(signals.left_eye, straight),
        right_eye=_open_eye(signals.right_eye, straight),
        mouth_open=_resting_mouth(
            signals.mouth_open, _MOUTH_QUANTILE, most=thresholds.LIPS_APART, lower=thresholds.LIPS_APART_QUANTILE
        ),
        smile=_resting_mouth(
            signals.smile, _SMILE_QUANTILE, most=thresholds.SMILING_AT_REST, lower=thresholds.SMILING_QUANTILE
        ),
        first_yaw=first_yaw,
        first_pitch=first_pitch,
    )


def _open_eye(openness: Signal, straight: Mask) -> float:
    """The open-eye level of one eye, from the frames with a straight head if there are enough."""
    enough = np.count_nonzero(straight) >= thresholds.STRAIGHT_OFTEN * len(openness)
    return max(thresholds.LEAST_OPEN, quantile(openness[straight] if enough else openness, _EYE_QUANTILE))


def _resting_mouth(signal: Signal, usual: float, *, most: float, lower: float) -> float:
    """The signal's quantile `usual`; if that is beyond `most`, the quantile `lower`, but at least `most`."""
    rest = quantile(signal, usual)
    # A lower quantile rather than `most` itself: the rest of an unusually wide mouth may truly lie beyond.
    return rest if rest <= most else max(most, quantile(signal, lower))


def _resting_angle(
    signals: FaceSignals, angle: Signal, opening: Mask, facing: float, plausible: float
) -> tuple[float, float]:
    """The neutral of an angle, and the angle of the first rest: see `Neutral.first_yaw`.

    facing: the angle at which a person faces the camera; plausible: most degrees of a rest from there.
    """
    steady = (signals.speed(angle) <= thresholds.STEADY) & (np.abs(angle - facing) <= plausible)
    in_opening = angle[steady & opening]
    if not len(in_opening):
        in_opening = angle[steady]
    if not len(in_opening):
        return facing, facing  # The head was never seen at rest.
    resting = _rest_near(angle[steady], median(in_opening))
    begins = int(np.argmax(steady))
    run = angle[begins:][steady[begins:] & (signals.times[begins:] <= signals.times[begins] + thresholds.FIRST_REST)]
    earliest = median(run) if len(run) > 1 else resting
    if abs(earliest - facing) >= abs(resting - facing):
        return resting, resting
    # If the head clearly faced the camera more before, most of the opening was spent in a pause on the way.
    if abs(earliest - facing) < abs(resting - facing) - thresholds.REFINE_WITHIN:
        resting = _rest_near(angle[steady], earliest)
    return resting, earliest


def _rest_near(steady: Signal, angle: float) -> float:
    """The median of the rests near `angle`; `angle` itself if there are none."""
    near = steady[np.abs(steady - angle) <= thresholds.REFINE_WITHIN]
    return median(near) if len(near) else angle
