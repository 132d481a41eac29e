"""How the drawn person moves: gestures with a course in time, and the small movements of someone who holds still."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np

from ops.lab.performer.pose import NEUTRAL, Pose
from shared.liveness.challenge import ChallengeType

#: Where each gesture leads. Head movements come with a little of the others, as necks do.
PEAKS: dict[ChallengeType, Pose] = {
    ChallengeType.TURN_LEFT: Pose(yaw=30, pitch=-1.5, roll=1.5, x=0.05),
    ChallengeType.TURN_RIGHT: Pose(yaw=-30, pitch=-1.5, roll=-1.5, x=-0.05),
    ChallengeType.LOOK_UP: Pose(pitch=28, y=-0.01),
    ChallengeType.LOOK_DOWN: Pose(pitch=-18, y=0.02, left_lid=0.1, right_lid=0.1),
    ChallengeType.BLINK: Pose(left_lid=1, right_lid=1),
    ChallengeType.SMILE: Pose(smile=1, left_lid=0.08, right_lid=0.08),
    ChallengeType.OPEN_MOUTH: Pose(jaw=1, pitch=1),
}


@dataclass(frozen=True, slots=True)
class Course:
    """A gesture's seconds."""

    onset: float
    hold: float
    back: float

    @property
    def length(self) -> float:
        """From rest to rest."""
        return self.onset + self.hold + self.back

    def amount(self, t: float) -> float:
        """How much of the gesture is there `t` seconds after its beginning, 0 to 1."""
        if t < self.onset:
            return _eased(t / self.onset)
        return 1 - _eased((t - self.onset - self.hold) / self.back)

    def stretched(self, factor: float) -> Course:
        """The same, slower by `factor`."""
        return Course(self.onset * factor, self.hold * factor, self.back * factor)


#: A blink takes some 0.3 s from lid up to lid up; the others are held a moment, as people do who were asked.
_BLINK = Course(0.09, 0.07, 0.14)
_HELD = Course(0.45, 0.8, 0.45)
#: Seconds at rest before the first gesture, between two, and after the last.
REST = 1.0
#: Seconds in which an answering person reads the first prompt, and any later one.
FIRST_READING, READING = 1.3, 0.5
#: How long an answering person holds a gesture at most, and rests before trying again.
_PATIENCE, _AGAIN = 1.6, 0.6


def course_of(kind: ChallengeType) -> Course:
    """The usual course of a gesture."""
    return _BLINK if kind is ChallengeType.BLINK else _HELD


def _eased(part: float) -> float:
    """0 to 1 with no jerk at either end, as limbs and heads move."""
    part = min(1.0, max(0.0, part))
    return part**3 * (10 - 15 * part + 6 * part**2)


def towards(peak: Pose, amount: float) -> Pose:
    """A part of the way from neutral to a pose."""
    return Pose(**{f.name: _rest(f.name) + (getattr(peak, f.name) - _rest(f.name)) * amount for f in fields(Pose)})


def _rest(name: str) -> float:
    return float(getattr(NEUTRAL, name))


class Stillness:
    """The small, slow movements of a person who holds still: a sum of slow swings, smooth at any frame rate."""

    #: Name in Pose, and how far it wanders: degrees, face widths, parts. No face is ever quite at rest: without brows and
    #: lips that stir it would be a bust, and without lids that stir a photo, and is taken for one.
    _WANDER = (
        ("yaw", 0.8),
        ("pitch", 0.6),
        ("roll", 0.5),
        ("x", 0.012),
        ("y", 0.010),
        ("nearness", 0.006),
        ("brows", 0.35),
        ("smile", 0.16),
        ("left_lid", 0.1),
        ("right_lid", 0.1),
    )

    def __init__(self, chance: np.random.Generator) -> None:
        self._swings = [
            (
                name,
                far * chance.uniform(0.3, 0.6, 3),
                chance.uniform((0.08, 0.3, 0.7), (0.2, 0.6, 1.2)),
                chance.uniform(0, 2 * np.pi, 3),
            )
            for name, far in self._WANDER
        ]

    def disturb(self, pose: Pose, t: float) -> Pose:
        """The pose as it is at `t` seconds."""
        values = {f.name: float(getattr(pose, f.name)) for f in fields(Pose)}
        for name, far, often, phase in self._swings:
            values[name] += float((far * np.sin(2 * np.pi * often * t + phase)).sum())
        # A lid is never more than open.
        values |= {lid: abs(values[lid]) for lid in ("left_lid", "right_lid")}
        return Pose(**values)


def rehearsed(
    types: Sequence[ChallengeType],
    fps: float,
    chance: np.random.Generator,
    *,
    speed: float = 1.0,
    strength: float = 1.0,
) -> Iterator[Pose]:
    """The poses of a performance of `types` one after the other, at rest before, between and after.

    speed: 2 does everything in half the time. strength: 0.5 goes half the way.
    """
    stillness = Stillness(chance)
    begins, plan = REST / speed, []
    for kind in types:
        course = course_of(kind).stretched(chance.uniform(0.9, 1.1) / speed)
        plan.append((begins, course, PEAKS[kind], strength * chance.uniform(0.94, 1.0)))
        begins += course.length + REST / speed
    for number in range(int(np.ceil(begins * fps))):
        t = number / fps
        pose = NEUTRAL
        for start, course, peak, far in plan:
            if start <= t < start + course.length:
                pose = towards(peak, far * course.amount(t - start))
        yield stillness.disturb(pose, t)


class Answering:
    """A person who does what they are asked: reads, does it, holds it until it counts, rests, tries again."""

    def __init__(self, chance: np.random.Generator, *, speed: float = 1.0, strength: float = 1.0) -> None:
        self._chance = chance
        self._speed = speed
        self._strength = strength
        self._stillness = Stillness(chance)
        self._asked: ChallengeType | None = None
        self._read_any = False
        #: When the next gesture may begin.
        self._ready_at = 0.0
        #: The gesture under way: what, since when, and from when on it goes back.
        self._doing: tuple[ChallengeType, float, float] | None = None

    def ask(self, kind: ChallengeType | None, t: float) -> None:
        """From `t` seconds on, `kind` is asked for; None: nothing is."""
        if kind is self._asked:
            return
        self._asked = kind
        if self._doing and self._doing[0] is not ChallengeType.BLINK:
            doing, since, back_at = self._doing
            self._doing = (doing, since, min(back_at, max(t, since + self._course(doing).onset)))
        if kind is not None:
            reading = (READING if self._read_any else FIRST_READING) * self._chance.uniform(0.9, 1.2)
            self._read_any = True
            self._ready_at = max(self._ready_at, t + reading / self._speed)

    def pose(self, t: float) -> Pose:
        """What the person does at `t` seconds; call it with rising times."""
        if self._doing is None and self._asked is not None and t >= self._ready_at:
            course = self._course(self._asked)
            hold = course.hold if self._asked is ChallengeType.BLINK else _PATIENCE / self._speed
            self._doing = (self._asked, t, t + course.onset + hold)
        pose = NEUTRAL
        if self._doing is not None:
            kind, since, back_at = self._doing
            course = self._course(kind)
            amount = min(_eased((t - since) / course.onset), 1 - _eased((t - back_at) / course.back))
            pose = towards(PEAKS[kind], amount * self._strength)
            if t >= back_at + course.back:
                self._doing = None
                self._ready_at = max(self._ready_at, t + _AGAIN / self._speed)
        return self._stillness.disturb(pose, t)

    def _course(self, kind: ChallengeType) -> Course:
        return course_of(kind).stretched(1 / self._speed)
