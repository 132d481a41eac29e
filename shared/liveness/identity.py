"""Whether it is one person all the way: which frames are to be compared, and what the comparisons say.

A face is followed from frame to frame. While its track is unbroken it is one face; each break (it jumped, was lost, came
back) begins a new track, about which nothing is known until a frame of it has been compared with the first person's.
Descriptors are made and compared elsewhere, and later than frames are answered: only their distances come in here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from shared.liveness.evidence import Code, Finding
from shared.liveness.following import breaks_track
from shared.liveness.frame import Frame
from shared.liveness.gestures.neutral import learn_neutral
from shared.liveness.gestures.signals import FaceSignals
from shared.liveness.observation import Face, Observation

#: Degrees from looking straight at the camera, and from the person's own resting pitch, within which faces are compared;
#: those within FIRST_PITCH are as well, should the resting pitch have been learned amiss.
#: Measured (16 people, 480 frames): one person's distances have their 99th percentile at 0.41 within 15°, at 0.44 up to 35°
#: of yaw; beyond 25° of pitch (2259 frames, before mirror images were averaged) at 0.61, where it was 0.49 for 35° of yaw.
#: Between people, turning the head makes no distance smaller.
MOST_YAW, MOST_PITCH = 35.0, 15.0
#: Narrower bounds for the first sample, to which all others are compared: degrees of yaw, and from where the pitch of those
#: who look at their camera was measured (8 to 29). Given up after so many seconds of a face: some cameras stand aside.
FIRST_YAW, FIRST_PITCH, FIRST_WITHIN = 20.0, (18.0, 14.0), 2.0
#: Share of a face's width that may lie outside the picture.
MOST_OUTSIDE: Final = 0.05
#: Share of the person's own open eyes that they must be open by.
LEAST_OPEN_EYE: Final = 0.5
#: Inter-ocular distances by which the lips may be further apart than at rest: a gaping mouth makes a face look another.
MOST_GAPING: Final = 0.2
#: Seconds after which a face that was compared is compared again, though its track is unbroken: a face that is put exactly
#: in the place of another does not break it.
COMPARE_AGAIN: Final = 2.5
#: Seconds after which a comparison that has not come in is taken for lost, and another frame is compared.
LOST_AFTER: Final = 3.0
#: Seconds between two samples of a session at least, and how many may be out at once and be taken in all: whatever a
#: client sends, the network that compares them has other sessions to work for.
SPACING, MOST_PENDING, MOST_SAMPLES = 0.2, 2, 60
#: A distance beyond the limit by less than this may be one bad picture: the next sample of the track clears it.
DOUBT_MARGIN: Final = 0.05
#: Distance under which two pictures of different cameras and days are of one person: what the model was trained to part
#: people at. (Within a session, with one camera, people are nearer to themselves, and the limit is the preset's.)
#: Measured over two recordings of one person (548 pairs, and as many in bad light, out of focus, or of half the pixels): 0
#: beyond it, but 0.8 % in the dark; of two people's 7 in a hundred are under it.
SAME_PERSON: Final = 0.6


@dataclass(slots=True)
class Sample:
    """A frame whose face is compared."""

    frame_id: str
    #: The frame's arrival.
    at: float
    #: The track that it belongs to, and the position of the challenge that was current.
    track: int
    challenge: int
    #: From the first face that was described, in the descriptor's unit; None while it is out.
    distance: float | None = None

    def out(self, at: float) -> bool:
        """Whether its distance may still come in."""
        return self.distance is None and at - self.at <= LOST_AFTER


@dataclass(slots=True)
class Reference:
    """A picture that was given at creation, and whether the person before the camera is the one in it."""

    #: Of the nearest face that was compared with it; None while none was.
    distance: float | None = None
    #: Why it cannot be compared: a stable code.
    problem: str | None = None

    @property
    def match(self) -> bool | None:
        """Whether it is the same person; None where that is not known."""
        return None if self.distance is None else self.distance < SAME_PERSON

    @property
    def similarity(self) -> float | None:
        """1 for the same picture, 0.5 where `match` changes, 0 for people who have nothing in common."""
        return None if self.distance is None else round(max(0.0, 1 - self.distance / (2 * SAME_PERSON)), 3)


@dataclass(slots=True)
class Identity:
    """Who is before the camera, as far as is known; part of a session. `limit` is the preset's, for a distance."""

    limit: float
    #: Counts the tracks.
    track: int = 0
    #: In the order in which they were taken.
    samples: list[Sample] = field(default_factory=list)
    #: The track on which each challenge's gesture was met, by position.
    passed_on: list[int] = field(default_factory=list)
    #: None where no picture was given.
    reference: Reference | None = None

    def see(self, frame: Frame, frames: Sequence[Frame], challenge: int, opening_until: float) -> bool:
        """Follow the face into `frame`, one of `frames` (oldest first); whether its face is to be compared.

        challenge: position of the current one. The frame is then a sample, of which `compare` is to be told.
        """
        index = next(i for i in range(len(frames) - 1, -1, -1) if frames[i] is frame)
        around = frames[max(0, index - 1) : index + 2]
        self.track += any(breaks_track(a, b) for a, b in pairwise(around))
        overtaken = index + 1 < len(frames)
        if overtaken or not self._wanted(frame.at, challenge) or not comparable(frame, frames, opening_until):
            return False
        if not self.samples and not comparable_as_first(frame, frames):
            return False
        self.samples.append(Sample(frame.id, frame.at, self.track, challenge))
        return True

    def take_distance(self, frame_id: str, distance: float) -> bool:
        """Take in a distance; False if nobody waits for it (it came twice, or was never asked for)."""
        for sample in self.samples:
            if sample.frame_id == frame_id and sample.distance is None:
                sample.distance = distance
                return True
        return False

    @property
    def swapped(self) -> bool:
        """Whether another person was seen, beyond doubt: two comparisons in a row are beyond the limit."""
        distances = [distance for _, distance, _ in self._compared()]
        return any(min(pair) >= self.limit for pair in pairwise(distances))

    @property
    def open_doubt(self) -> bool:
        """Whether the present track's newest distance is beyond the limit, and another one is to decide."""
        here = [distance for sample, distance, _ in self._compared() if sample.track == self.track]
        return bool(here) and here[-1] >= self.limit

    def is_complete(self, at: float) -> bool:
        """Whether nothing more is to be waited for: all that could be compared is, for the challenge met last."""
        if self.waits(at):
            return False
        # Of a track that is over nothing more can be had.
        over = self.passed_on[-1] != self.track
        return over or (self._known(self.track, len(self.passed_on) - 1) and not self.open_doubt)

    def take_reference_distance(self, distance: float) -> None:
        """Take in how far a face of this session is from the one in the picture given at creation."""
        if self.reference is not None:
            nearest = self.reference.distance
            self.reference.distance = distance if nearest is None else min(nearest, distance)

    def awaits_distance(self, frame_id: str) -> bool:
        """Whether this frame's distance is waited for."""
        return any(sample.frame_id == frame_id and sample.distance is None for sample in self.samples)

    def waits(self, at: float) -> bool:
        """Whether any distance may still come in."""
        return any(sample.out(at) for sample in self.samples)

    def gesture_met(self) -> None:
        """Take in that the current challenge's gesture has been met, on the present track."""
        self.passed_on.append(self.track)

    def findings(self) -> list[Finding]:
        """For each challenge the largest distance in it; one that another sample has cleared of doubt does not count."""
        largest: dict[int, float] = {}
        for sample, distance, following in self._compared():
            cleared = distance < self.limit + DOUBT_MARGIN and following is not None and following < self.limit
            if distance < self.limit or not cleared:
                largest[sample.challenge] = max(distance, largest.get(sample.challenge, 0.0))
        return [Finding(Code.SWAPPED, round(distance, 4), at) for at, distance in sorted(largest.items())]

    def unidentified(self) -> list[Finding]:
        """One for each challenge without a face that was compared: after the pass before it, on the track of its own."""
        return [
            Finding(Code.UNIDENTIFIED, 1.0, position)
            for position, track in enumerate(self.passed_on)
            if not self._known(track, position)
        ]

    def _known(self, track: int, position: int) -> bool:
        # Not from before: a face can be put so exactly into the place of another that the track is not broken. From later
        # on, that is no matter: the face that met the challenge would have had to come back as exactly.
        return any(s.track == track and s.challenge >= position and s.distance is not None for s in self.samples)

    def _wanted(self, at: float, challenge: int) -> bool:
        """Whether another sample is needed now."""
        if not self.samples:
            return True
        out = sum(sample.out(at) for sample in self.samples)
        if len(self.samples) >= MOST_SAMPLES or out >= MOST_PENDING or at - self.samples[-1].at < SPACING:
            return False
        alive = [s for s in self.samples if s.track == self.track and (s.distance is not None or s.out(at))]
        if not any(s.challenge == challenge and at - s.at < COMPARE_AGAIN for s in alive):
            return True
        return self.open_doubt and not any(s.distance is None for s in alive)

    def _compared(self) -> list[tuple[Sample, float, float | None]]:
        """Each sample whose distance is known, oldest first: with it, and with that of the next one on the same track."""
        known = sorted(((s, s.distance) for s in self.samples if s.distance is not None), key=lambda pair: pair[0].at)
        return [
            (sample, distance, next((d for s, d in known[i + 1 :] if s.track == sample.track), None))
            for i, (sample, distance) in enumerate(known)
        ]


def comparable(frame: Frame, frames: Sequence[Frame], opening_until: float) -> bool:
    """Whether a frame's face can be compared: one, whole, of fair quality, not turned far, with open eyes."""
    face = frame.observation.face
    if face is None or not frame.observation.usable or not _inside(face, frame.observation):
        return False
    neutral = learn_neutral(FaceSignals(frames), opening_until)
    # Either eye will do: people's eyes differ, and a wink hides little of a face.
    opened = max(face.left_eye / max(neutral.left_eye, 1e-6), face.right_eye / max(neutral.right_eye, 1e-6))
    level = abs(face.pitch - neutral.pitch) <= MOST_PITCH or _level(face)
    gaping = face.mouth_open - neutral.mouth_open > MOST_GAPING
    return abs(face.yaw) <= MOST_YAW and level and opened >= LEAST_OPEN_EYE and not gaping


def comparable_as_first(frame: Frame, frames: Sequence[Frame]) -> bool:
    """Whether a face that is fit is so even for the others to be compared with."""
    face = frame.observation.face
    began = next((f.at for f in frames if f.observation.usable), frame.at)
    if face is None or frame.at - began >= FIRST_WITHIN:
        return face is not None
    return abs(face.yaw) <= FIRST_YAW and _level(face)


def _level(face: Face) -> bool:
    """Whether it looks at a camera, wherever most people hold theirs."""
    centre, reach = FIRST_PITCH
    return abs(face.pitch - centre) <= reach


def _inside(face: Face, observation: Observation) -> bool:
    longest = max(observation.width, observation.height, 1)
    left, top, width, height = face.box
    spare = MOST_OUTSIDE * width
    return (
        min(left, top) >= -spare
        and left + width <= observation.width / longest + spare
        and top + height <= observation.height / longest + spare
    )
