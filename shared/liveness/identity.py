"""Whether one person is before the camera throughout a session: which faces to compare, and what follows from it.

A face is followed from frame to frame. An unbroken track is one face; when the face jumps, is lost or comes back, a new
track begins, which is unknown until one of its frames (a sample) has been compared with the session's first face. Workers
make and compare the descriptors after the frame has been answered: this module only receives their distances.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from shared.liveness.evidence import Code, Finding
from shared.liveness.following import breaks_track
from shared.liveness.frame import Frame
from shared.liveness.gestures.neutral import learn_neutral
from shared.liveness.gestures.signals import FaceSignals
from shared.liveness.observation import Face, Observation

#: Most degrees of yaw from facing the camera at which faces are compared: descriptors of faces turned further say little.
MOST_YAW: Final = 35.0
#: Most degrees of pitch from the person's neutral at which faces are compared. A pitch that is usual before a camera
#: (USUAL_PITCH) will do as well, in case the neutral was learned wrongly.
MOST_PITCH: Final = 15.0
#: Degrees of pitch at which most people look at their camera, and how far from there is still usual.
USUAL_PITCH: Final = 18.0
USUAL_PITCH_REACH: Final = 14.0
#: Most degrees of yaw of the first sample, which must also have a usual pitch: all others are compared with it.
FIRST_YAW: Final = 20.0
#: Seconds after the first usable frame in which these narrower bounds hold; some cameras stand at the side for good.
FIRST_WITHIN: Final = 2.0
#: Share of the face's width that may lie outside the picture: a face that is cut off says little.
MOST_OUTSIDE: Final = 0.05
#: Share of the person's own open-eye level by which at least one eye must be open: closed eyes change a face too much.
LEAST_OPEN_EYE: Final = 0.5
#: Inter-ocular distances by which the lips may be further apart than at rest: a gaping mouth changes a face too much.
MOST_GAPING: Final = 0.2
#: Seconds after which the face of an unbroken track is compared again: a face put exactly in the place of another does not
#: break the track.
COMPARE_AGAIN: Final = 2.5
#: Seconds after which a comparison without a result counts as lost, and another frame is compared.
LOST_AFTER: Final = 3.0
#: Least seconds between two samples, and most samples pending at once and in all of a session: whatever a client sends, the
#: workers must have time for other sessions.
SPACING, MOST_PENDING, MOST_SAMPLES = 0.2, 2, 60
#: Share of the best portrait's degrees from the ideal, less so many degrees, under which another frame is compared for being
#: a better one: a slightly better picture is not worth a comparison.
BETTER_PORTRAIT, BETTER_PORTRAIT_DEGREES = 0.8, 0.5
#: Descriptor distance beyond the limit that one bad picture may cause: the track's next sample can clear it.
DOUBT_MARGIN: Final = 0.05
#: How far a descriptor distance must stay below the limit for it to be taken as it is, though it was measured less exactly.
CLEARLY: Final = 0.2
#: Descriptor distance under which two pictures of different cameras and days show one person, as the network was trained.
#: (Within a session, with one camera, people are closer to themselves, and the preset's limit is used.)
SAME_PERSON: Final = 0.6
#: The reason of a session, and the problem of a reference, whose faces were not compared: the workers were busy or absent.
NOT_COMPARED: Final = "not_compared"


@dataclass(slots=True)
class Sample:
    """A frame whose face is compared with the session's first face."""

    frame_id: str
    #: When the frame arrived.
    at: float
    #: Number of the frame's track.
    track: int
    #: Position of the challenge that was current.
    challenge: int
    #: Descriptor distance from the session's first face; None while pending or lost.
    distance: float | None = None
    #: How far the frame is from an ideal portrait, in degrees; None if it is unfit or no portrait is wanted.
    portrait: float | None = None

    def is_pending(self, at: float) -> bool:
        """Whether the distance may still come in."""
        return self.distance is None and at - self.at <= LOST_AFTER


@dataclass(slots=True)
class Reference:
    """The comparison with a picture of the expected person, given at the session's creation."""

    #: Least descriptor distance of this session's faces from that picture; None before any comparison.
    distance: float | None = None
    #: Why the picture cannot be compared, a stable code; None if it can be.
    problem: str | None = None

    def give_up(self) -> None:
        """Say that the picture was not compared in time, if it might still have been."""
        if self.distance is None and self.problem is None:
            self.problem = NOT_COMPARED

    @property
    def match(self) -> bool | None:
        """Whether the person before the camera is the one in the picture; None while unknown."""
        return None if self.distance is None else self.distance < SAME_PERSON

    @property
    def similarity(self) -> float | None:
        """Similarity to the picture: 1 if identical, 0.5 where `match` changes, down to 0; None while unknown."""
        return None if self.distance is None else round(max(0.0, 1 - self.distance / (2 * SAME_PERSON)), 3)


@dataclass(slots=True)
class Identity:
    """What is known about whether one person is there throughout; part of a session."""

    #: Descriptor distance from which two faces are of two people, by the session's preset.
    limit: float
    #: Number of the present track; counts up with each break.
    track: int = 0
    #: The samples, in the order in which they were taken.
    samples: list[Sample] = field(default_factory=list)
    #: The number of the track on which each challenge's gesture was met, by the challenge's position.
    passed_on: list[int] = field(default_factory=list)
    #: The comparison with a picture given at creation; None if none was given.
    reference: Reference | None = None

    def see(
        self,
        frame: Frame,
        frames: Sequence[Frame],
        challenge: int,
        opening_until: float,
        portrait: float | None = None,
    ) -> bool:
        """Follow the face into `frame`, which is one of `frames` (oldest first). True if the frame has become a sample.

        A sample's face is to be compared, and `take_distance` to be called with the result. challenge: position of the
        current challenge; opening_until: the end of the session's opening; portrait: how far the frame is from an ideal
        portrait, None if it is unfit or none is wanted.
        """
        index = next(i for i in range(len(frames) - 1, -1, -1) if frames[i] is frame)
        around = frames[max(0, index - 1) : index + 2]
        self.track += any(breaks_track(a, b) for a, b in pairwise(around))
        overtaken = index + 1 < len(frames)
        wanted = self._wanted(frame.at, challenge) or self._better_portrait(frame.at, portrait)
        if overtaken or not wanted or not comparable(frame, frames, opening_until):
            return False
        if not self.samples and not comparable_as_first(frame, frames):
            return False
        self.samples.append(Sample(frame.id, frame.at, self.track, challenge, portrait=portrait))
        return True

    def take_distance(self, frame_id: str, distance: float) -> bool:
        """Take in the distance of a sample's face; False if that is not awaited (it came twice, or is no sample's)."""
        for sample in self.samples:
            if sample.frame_id == frame_id and sample.distance is None:
                sample.distance = distance
                return True
        return False

    def is_clearly_same(self, distance: float) -> bool:
        """Whether a distance is so small that a more exact one would change nothing: it weighs nothing, and stays so."""
        return distance < self.limit - CLEARLY

    @property
    def swapped(self) -> bool:
        """Whether another person was seen beyond doubt: two distances in a row reach the limit."""
        distances = [distance for _, distance, _ in self._compared()]
        return any(min(pair) >= self.limit for pair in pairwise(distances))

    @property
    def in_doubt(self) -> bool:
        """Whether the present track's newest distance reaches the limit, so that another sample must decide."""
        distances = [distance for sample, distance, _ in self._compared() if sample.track == self.track]
        return bool(distances) and distances[-1] >= self.limit

    def is_complete(self, at: float) -> bool:
        """Whether the comparisons for the challenge that was met last are complete, as far as they can be."""
        if self.waits(at):
            return False
        return self.track_ended or (self._is_known(self.track, len(self.passed_on) - 1) and not self.in_doubt)

    def end(self) -> None:
        """Take in that the session has ended, after which nothing is compared."""
        if self.reference is not None and any(sample.distance is not None for sample in self.samples):
            self.reference.give_up()

    def take_reference_distance(self, distance: float) -> None:
        """Take in the descriptor distance of a face of this session from the picture given at creation."""
        if self.reference is not None:
            nearest = self.reference.distance
            self.reference.distance = distance if nearest is None else min(nearest, distance)

    def awaits_distance(self, frame_id: str) -> bool:
        """Whether the frame is a sample whose distance has not come in."""
        return any(sample.frame_id == frame_id and sample.distance is None for sample in self.samples)

    def portrait_of(self, frame_id: str) -> float | None:
        """How far a sample's frame is from an ideal portrait, in degrees; None if it is no sample or unfit for one."""
        return next((sample.portrait for sample in self.samples if sample.frame_id == frame_id), None)

    def waits(self, at: float) -> bool:
        """Whether any distance may still come in."""
        return any(sample.is_pending(at) for sample in self.samples)

    def gesture_met(self) -> None:
        """Record that the current challenge's gesture has been met on the present track."""
        self.passed_on.append(self.track)

    def findings(self) -> list[Finding]:
        """One finding for each challenge with a comparison: its largest distance, without those cleared as bad pictures."""
        largest: dict[int, float] = {}
        for sample, distance, next_distance in self._compared():
            cleared = distance < self.limit + DOUBT_MARGIN and next_distance is not None and next_distance < self.limit
            if distance < self.limit or not cleared:
                largest[sample.challenge] = max(distance, largest.get(sample.challenge, 0.0))
        return [Finding(Code.SWAPPED, round(distance, 4), position) for position, distance in sorted(largest.items())]

    def met_by_a_stranger(self, until: float, challenges: int) -> bool:
        """Whether the gesture that was met last was met on a track without a sample up to `until`.

        challenges: the number that the session has. False for a single challenge without any sample: there nobody can have
        taken over from anybody.
        """
        track, position = self.passed_on[-1], len(self.passed_on) - 1
        somebody_else = challenges > 1 or bool(self.samples)
        return somebody_else and not any(s.at <= until for s in self._of_track(track, position))

    @property
    def track_ended(self) -> bool:
        """Whether the track has ended on which the last gesture was met: it yields no more samples."""
        return self.passed_on[-1] != self.track

    def forget_gesture(self) -> None:
        """Take back that the current challenge's gesture has been met: it is to be made once more."""
        self.passed_on.pop()

    def unidentified(self) -> list[Finding]:
        """One finding for each challenge whose gesture was met on a track that no comparison has identified."""
        return [
            Finding(Code.UNIDENTIFIED, 1.0, position)
            for position, track in enumerate(self.passed_on)
            if not self._is_known(track, position)
        ]

    def not_compared(self) -> set[int]:
        """Positions of the challenges of which a face was to be compared and was not: the workers were busy or absent."""
        return {
            position
            for position, track in enumerate(self.passed_on)
            if not self._is_known(track, position) and any(self._of_track(track, position))
        }

    def _is_known(self, track: int, position: int) -> bool:
        """Whether a sample of the track was compared, in the challenge at `position` or later."""
        return any(s.distance is not None for s in self._of_track(track, position))

    def _of_track(self, track: int, position: int) -> Iterator[Sample]:
        # Earlier samples do not count: a face can be put so exactly in the place of another that the track does not break.
        # Later ones do: the face that met the challenge would have had to come back just as exactly.
        return (s for s in self.samples if s.track == track and s.challenge >= position)

    def _wanted(self, at: float, challenge: int) -> bool:
        """Whether the session needs another sample now, and may take one."""
        if not self.samples:
            return True
        if not self._has_room(at):
            return False
        of_track = [s for s in self.samples if s.track == self.track and (s.distance is not None or s.is_pending(at))]
        if not any(s.challenge == challenge and at - s.at < COMPARE_AGAIN for s in of_track):
            return True
        return self.in_doubt and not any(s.distance is None for s in of_track)

    def _has_room(self, at: float) -> bool:
        """Whether the session may have another face compared now."""
        pending = sum(sample.is_pending(at) for sample in self.samples)
        return len(self.samples) < MOST_SAMPLES and pending < MOST_PENDING and at - self.samples[-1].at >= SPACING

    def _better_portrait(self, at: float, portrait: float | None) -> bool:
        """Whether a frame would be a clearly better portrait than all samples that are or may be found near enough."""
        if portrait is None or not self._has_room(at):
            return False
        known = [
            s.portrait
            for s in self.samples
            if s.portrait is not None and (s.is_pending(at) if s.distance is None else s.distance < self.limit)
        ]
        return not known or portrait < BETTER_PORTRAIT * min(known) - BETTER_PORTRAIT_DEGREES

    def _compared(self) -> list[tuple[Sample, float, float | None]]:
        """The compared samples, oldest first: each with its distance and that of the next one on the same track."""
        known = sorted(((s, s.distance) for s in self.samples if s.distance is not None), key=lambda pair: pair[0].at)
        return [
            (sample, distance, next((d for s, d in known[i + 1 :] if s.track == sample.track), None))
            for i, (sample, distance) in enumerate(known)
        ]


def comparable(frame: Frame, frames: Sequence[Frame], opening_until: float) -> bool:
    """Whether a frame's face can be compared: usable, whole, not turned far, with an open eye and no gaping mouth."""
    seen, face = frame.observation, frame.observation.face
    if face is None or not seen.usable or not seen.eyes_seen or not _inside(face, seen):
        return False
    neutral = learn_neutral(FaceSignals(frames), opening_until)
    # One open eye will do: people's eyes differ, and a wink hides little of a face.
    opened = max(face.left_eye / max(neutral.left_eye, 1e-6), face.right_eye / max(neutral.right_eye, 1e-6))
    level = abs(face.pitch - neutral.pitch) <= MOST_PITCH or _has_usual_pitch(face)
    gaping = face.mouth_open - neutral.mouth_open > MOST_GAPING
    return abs(face.yaw) <= MOST_YAW and level and opened >= LEAST_OPEN_EYE and not gaping


def comparable_as_first(frame: Frame, frames: Sequence[Frame]) -> bool:
    """Whether a comparable face may be the session's first sample, with which all others are compared."""
    face = frame.observation.face
    began = next((f.at for f in frames if f.observation.usable), frame.at)
    if face is None:
        return False
    return frame.at - began >= FIRST_WITHIN or (abs(face.yaw) <= FIRST_YAW and _has_usual_pitch(face))


def _has_usual_pitch(face: Face) -> bool:
    """Whether the face looks at a camera that is held where most people hold theirs."""
    return abs(face.pitch - USUAL_PITCH) <= USUAL_PITCH_REACH


def _inside(face: Face, observation: Observation) -> bool:
    """Whether the face lies in the picture, but for MOST_OUTSIDE."""
    longest = max(observation.width, observation.height, 1)
    left, top, width, height = face.box
    spare = MOST_OUTSIDE * width
    return (
        min(left, top) >= -spare
        and left + width <= observation.width / longest + spare
        and top + height <= observation.height / longest + spare
    )
