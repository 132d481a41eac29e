"""The signals of a recording over time, the onsets of its gestures, and how far these go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ops.lab.evaluate.manifest import Person, Segment
from ops.lab.evaluate.measuring import Measures
from ops.lab.evaluate.player import BEGIN
from ops.lab.evaluate.video import encoded, pictures
from shared.liveness.challenge import HEAD_MOVEMENTS, ChallengeType
from shared.liveness.frame import Frame
from shared.liveness.gestures import thresholds
from shared.liveness.gestures.head import MOVEMENTS
from shared.liveness.gestures.neutral import learn_neutral
from shared.liveness.gestures.signals import FaceSignals, Signal
from workers.vision.prior import Prior

#: Frames a second that signals are looked at with: more than clients send, to see when a gesture begins.
FPS = 15.0
#: The share of a gesture's amount at which it counts as begun.
BEGUN = 0.2
#: Seconds around a label's peak in which the gesture's summit is searched.
AROUND = 0.7
#: Seconds at the beginning of a clip that count as its opening, as a session's do.
OPENING = 3.0

_EYE_DISTANCES = "inter-ocular distances"
#: Units of what the judges need (`shared.liveness.gestures.amount.NEEDED`).
UNITS: dict[ChallengeType, str] = dict.fromkeys(HEAD_MOVEMENTS, "degrees") | {
    ChallengeType.BLINK: "share of the eyes' opening",
    ChallengeType.SMILE: _EYE_DISTANCES,
    ChallengeType.OPEN_MOUTH: _EYE_DISTANCES,
}


@dataclass(frozen=True, slots=True)
class Label:
    """A gesture of the manifest."""

    person: str
    gesture: ChallengeType
    segment: Segment


@dataclass(frozen=True, slots=True)
class Signals:
    """One recording, measured from the first second that the manifest speaks of to the last."""

    path: Path
    frames: Sequence[Frame]
    labels: Sequence[Label]
    #: All segments that the manifest has of it.
    segments: Sequence[Segment]

    def track(self, start: float, end: float) -> FaceSignals:
        """The usable frames of these seconds."""
        return FaceSignals([f for f in self.frames if start <= f.at < end])


def recordings(people: Sequence[Person]) -> dict[Path, list[Label]]:
    """The recordings, each with its labelled gestures."""
    found: dict[Path, list[Label]] = {}
    for person in people:
        for segment in person.segments:
            found.setdefault(segment.path, [])
        for gesture, segments in person.gestures.items():
            for segment in segments:
                found[segment.path].append(Label(person.name, gesture, segment))
    return found


def watch(path: Path, people: Sequence[Person], vision: Measures) -> Signals:
    """Measure a recording from end to end."""
    spans = [s for p in people for s in p.segments if s.path == path]
    start, end = min(s.start for s in spans), max(s.end for s in spans)
    frames: list[Frame] = []
    prior: Prior | None = None
    for second, picture in pictures(Segment(path, start, end, turn=spans[0].turn), FPS):
        observation, prior = vision.measure(encoded(picture), prior, BEGIN + second)
        frames.append(Frame(str(len(frames)), second, observation))
    return Signals(path, frames, recordings(people)[path], list(dict.fromkeys(spans)))


def onset(signals: Signals, gesture: ChallengeType, segment: Segment) -> float | None:
    """The gesture's onset: as labelled, else when its signal is last near rest before the summit around its peak."""
    if segment.onset is not None:
        return segment.onset
    track = signals.track(segment.start, segment.end)
    course = _course(track, gesture)
    summits = np.flatnonzero(np.abs(track.times - segment.peak) <= AROUND)
    if not len(summits):
        return None
    summit = summits[int(np.argmax(course[summits]))]
    way = course[: summit + 1]
    rest = float(np.quantile(way, 0.2))
    below = np.flatnonzero(way <= rest + BEGUN * (way[-1] - rest))
    return float(track.times[below[-1]]) if len(below) and way[-1] > rest else None


def reach(signals: Signals, gesture: ChallengeType, segment: Segment) -> float | None:
    """The gesture's amount in a segment, from the person's neutral, held as long as the judges ask for."""
    track = signals.track(segment.start, segment.end)
    if len(track) < 5:
        return None
    neutral = learn_neutral(track, segment.start + OPENING)
    course = _course(track, gesture)
    if gesture is ChallengeType.BLINK:
        rest = -(neutral.left_eye + neutral.right_eye) / 2
        return float((course.max() - rest) / max(-rest, 1e-6))
    if gesture is ChallengeType.SMILE:
        return _sustained(course - neutral.smile, thresholds.SUSTAINED)
    if gesture is ChallengeType.OPEN_MOUTH:
        grin = thresholds.GRIN_SHARE * (track.smile - neutral.smile).clip(min=0)
        return _sustained(course - neutral.mouth_open - grin, thresholds.SUSTAINED)
    axis, sign, _ = MOVEMENTS[gesture]
    return _sustained(course - sign * (neutral.yaw if axis == "yaw" else neutral.pitch), 1 / FPS)


def _course(track: FaceSignals, gesture: ChallengeType) -> Signal:
    """The one signal that grows as the gesture is done."""
    if gesture is ChallengeType.BLINK:
        return -(track.left_eye + track.right_eye) / 2
    if gesture is ChallengeType.SMILE:
        return track.smile
    if gesture is ChallengeType.OPEN_MOUTH:
        return track.mouth_open
    axis, sign, _ = MOVEMENTS[gesture]
    return sign * (track.yaw if axis == "yaw" else track.pitch)


def _sustained(course: Signal, seconds: float) -> float:
    """The highest level that is held for a number of seconds."""
    steps = min(len(course), round(seconds * FPS) + 1)
    return float(np.lib.stride_tricks.sliding_window_view(course, steps).min(axis=1).max())
