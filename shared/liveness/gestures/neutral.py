"""What a person's face is like when it does nothing: every gesture is measured from there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shared.liveness.gestures import thresholds
from shared.liveness.gestures.quantiles import median, quantile
from shared.liveness.gestures.signals import FaceSignals, Mask, Signal


@dataclass(frozen=True, slots=True)
class Neutral:
    """A person at rest: angles in degrees, the rest as in `Face`."""

    yaw: float
    pitch: float
    left_eye: float
    right_eye: float
    mouth_open: float
    smile: float
    #: Where the head rested first of all, if it faced the camera more there than at its neutral; else that neutral.
    first_yaw: float
    first_pitch: float


def learn_neutral(signals: FaceSignals, opening_until: float) -> Neutral:
    """The neutral of a person from the frames at hand; `signals` must not be empty.

    The head's is where it rests in the opening, refined by later rest near there. Eyes rest open, mouths rest closed and
    unsmiling, whatever else they do in between: theirs are high and low quantiles over all frames at hand, which a
    gesture in progress does not shift. The eyes' are taken of a head that is near its neutral, as far as it was there; a
    mouth that smiles or is open in most frames is not at rest in those.
    """
    opening = signals.times <= opening_until
    yaw, first_yaw = _resting_angle(signals, signals.yaw, opening, thresholds.PLAUSIBLE_YAW)
    pitch, first_pitch = _resting_angle(signals, signals.pitch, opening, thresholds.PLAUSIBLE_PITCH)
    straight = np.maximum(np.abs(signals.yaw - yaw), np.abs(signals.pitch - pitch)) <= thresholds.STRAIGHT
    return Neutral(
        yaw=yaw,
        pitch=pitch,
        left_eye=_open_eye(signals.left_eye, straight),
        right_eye=_open_eye(signals.right_eye, straight),
        mouth_open=_resting_mouth(signals.mouth_open, 0.2, thresholds.LIPS_APART),
        smile=_resting_mouth(signals.smile, 0.3, thresholds.SMILING_AT_REST),
        first_yaw=first_yaw,
        first_pitch=first_pitch,
    )


def _open_eye(openness: Signal, straight: Mask) -> float:
    # Eyes of a head that is turned away or lifted are wider open than they are before and after.
    often = np.count_nonzero(straight) >= thresholds.STRAIGHT_OFTEN * len(openness)
    seen = openness[straight] if often else openness
    return max(thresholds.LEAST_OPEN, quantile(seen, 0.8))


def _resting_mouth(signal: Signal, usually: float, plausible: tuple[float, float]) -> float:
    at_most, seldom = plausible
    rest = quantile(signal, usually)
    # Beyond what rest can plausibly be it is what the mouth comes down to at times, so that a wide one is not cut short.
    return rest if rest <= at_most else max(at_most, quantile(signal, seldom))


def _resting_angle(
    signals: FaceSignals, angle: Signal, opening: Mask, plausible: tuple[float, float]
) -> tuple[float, float]:
    """The neutral, and where the head rested first of all: see `Neutral.first_yaw`."""
    centre, reach = plausible
    steady = (signals.speed(angle) <= thresholds.STEADY) & (np.abs(angle - centre) <= reach)
    first = angle[steady & opening]
    if not len(first):
        first = angle[steady]
    if not len(first):
        return centre, centre  # Never seen at rest: anyone's neutral will have to do.
    resting = _rest_near(angle[steady], median(first))
    begins = int(np.argmax(steady))
    run = angle[begins:][steady[begins:] & (signals.times[begins:] <= signals.times[begins] + thresholds.FIRST_REST)]
    earliest = median(run) if len(run) > 1 else resting
    if abs(earliest - centre) >= abs(resting - centre):
        return resting, resting
    # Where most of the opening was spent is a pause on the way if the head faced the camera more, and clearly, before it.
    if abs(earliest - centre) < abs(resting - centre) - thresholds.REFINE:
        resting = _rest_near(angle[steady], earliest)
    return resting, earliest


def _rest_near(steady: Signal, angle: float) -> float:
    """`angle`, refined by where the head rested near there."""
    near = steady[np.abs(steady - angle) <= thresholds.REFINE]
    return median(near) if len(near) else angle
