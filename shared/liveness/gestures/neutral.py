"""What a person's face is like when it does nothing: every gesture is measured from there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shared.liveness.gestures import thresholds
from shared.liveness.gestures.quantiles import median, quantile
from shared.liveness.gestures.track import Mask, Signal, Track


@dataclass(frozen=True, slots=True)
class Neutral:
    """A person at rest: angles in degrees, the rest as in `Face`."""

    yaw: float
    pitch: float
    left_eye: float
    right_eye: float
    mouth_open: float
    smile: float


def learn_neutral(track: Track, opening_until: float) -> Neutral:
    """The neutral of a person from the frames at hand; `track` must not be empty.

    The head's is where it rests in the opening, refined by later rest near there. Eyes rest open, mouths rest closed and
    unsmiling, whatever else they do in between: theirs are high and low quantiles over all frames at hand, which a
    gesture in progress does not shift.
    """
    opening = track.at <= opening_until
    return Neutral(
        yaw=_resting_angle(track, track.yaw, opening, thresholds.PLAUSIBLE_YAW),
        pitch=_resting_angle(track, track.pitch, opening, thresholds.PLAUSIBLE_PITCH),
        left_eye=max(thresholds.LEAST_OPEN, quantile(track.left_eye, 0.8)),
        right_eye=max(thresholds.LEAST_OPEN, quantile(track.right_eye, 0.8)),
        mouth_open=quantile(track.mouth_open, 0.2),
        smile=quantile(track.smile, 0.3),
    )


def _resting_angle(track: Track, angle: Signal, opening: Mask, plausible: tuple[float, float]) -> float:
    centre, reach = plausible
    steady = (track.speed(angle) <= thresholds.STEADY) & (np.abs(angle - centre) <= reach)
    first = angle[steady & opening]
    if not len(first):
        first = angle[steady]
    if not len(first):
        return centre  # Never seen at rest: anyone's neutral will have to do.
    resting = median(first)
    near = angle[steady & (np.abs(angle - resting) <= thresholds.REFINE)]
    return median(near) if len(near) else resting
