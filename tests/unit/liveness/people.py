"""Made-up people before a made-up camera: observations over time, as vision would give them.

`film` makes the frames of someone who does things; `play` hands them to a session as the workers do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Protocol

import numpy as np

from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence import Weighing
from shared.liveness.frame import Frame
from shared.liveness.observation import Face, Observation, Problem
from shared.liveness.session import FrameResult, Session
from tests.unit.liveness import weights

#: When all of it happens: a moment that a float holds only in part, as real ones are.
T0 = 1_790_000_000.123

#: What a living person's frames have beside the face: it changes from one to the next, bends as no plane does, in more ways
#: than between two pictures, and so does its skin; no edges enclose it, none that move, and no stripes lie on it.
ALIVE: Mapping[str, Any] = {
    "stir": 12.0,
    "flex": 0.4,
    "flex_whole": 0.4,
    "flex_lately": 1.0,
    "unmixed": 0.95,
    "skin": 0.05,
    "detail": 0.4,
    "eye_change": 0.12,
    "rim": 0.3,
    "adrift": 0.0,
    "moire": 10.0,
}
#: What those of a photo have: nothing bends, what changes is a mixture of two pictures, and the eyes look one way.
PHOTO: Mapping[str, Any] = {
    **ALIVE,
    "flex": 0.0,
    "flex_whole": 0.0,
    "flex_lately": 0.0,
    "unmixed": 0.02,
    "skin": 0.001,
    "detail": 0.1,
    "eye_change": 0.008,
    "gaze": (0.01, 0.02),
}


def observe(**changes: Any) -> Observation:
    """The one place where observations are made: of a neutral face, but for `changes` in the face or beside it."""
    of_face = {name: changes.pop(name) for name in [f.name for f in fields(Face)] if name in changes}
    face = Face(
        **{
            "box": (0.35, 0.2, 0.3, 0.35),
            "yaw": 0.0,
            "pitch": 15.0,
            "roll": 0.0,
            "scale": 0.1,
            "left_eye": 0.3,
            "right_eye": 0.3,
            "mouth_open": 0.02,
            "mouth_width": 0.9,
            "mouth_drop": 0.15,
            "sureness": 0.98,
            **of_face,
        }
    )
    usual = {"faces": 1, "face": face, "width": 640, "height": 480, "brightness": 120.0}
    return Observation(**{**usual, **ALIVE, **changes})


def without_face(problem: Problem = Problem.NO_FACE) -> Observation:
    """A frame that shows nobody."""
    return observe(faces=0, face=None, problem=problem)


@dataclass(frozen=True, kw_only=True)
class Person:
    """What someone is like at rest, seen by their camera, and how much the measures of it tremble."""

    yaw: float = 0.0
    #: A camera at the height of the eyes gives some 15 degrees, one held low up to 31.
    pitch: float = 15.0
    left_eye: float = 0.30
    right_eye: float = 0.30
    mouth_open: float = 0.02
    mouth_width: float = 0.90
    mouth_drop: float = 0.15
    #: Where in the picture and how large: fractions of its longer side.
    x: float = 0.5
    scale: float = 0.1
    #: Standard deviations of the measures of someone who holds still, in those of dlib's points; the mesh has half.
    tremble: float = 1.0


#: People as far apart as measured: open eyes of 0.2 to 0.45, cameras held high, low and at the side.
PEOPLE = {
    "usual": Person(),
    "small eyes": Person(left_eye=0.20, right_eye=0.21, mouth_width=0.8),
    "large eyes": Person(left_eye=0.45, right_eye=0.43, mouth_width=1.05, mouth_drop=0.05),
    "camera held low": Person(pitch=29.0, left_eye=0.26, right_eye=0.27),
    "camera above": Person(pitch=6.0),
    "camera to the side": Person(yaw=15.0),
    "lips apart": Person(mouth_open=0.08),
}

_TREMBLE = {
    "yaw": 0.55, "pitch": 0.65, "roll": 0.2, "left_eye": 0.045, "right_eye": 0.045, "mouth_open": 0.008,
    "mouth_width": 0.011, "mouth_drop": 0.009,
}  # fmt: skip


class Act(Protocol):
    """Something that a person does."""

    def at(self, t: float) -> Mapping[str, float]:
        """What it adds to the person at rest, `t` seconds after the film's beginning.

        Degrees and inter-ocular distances as in `Face`; left_lid and right_lid: the share by which each eye is closed.
        """


@dataclass(frozen=True)
class Move:
    """Out of rest to `far`, held there, and back; seconds."""

    begins: float
    far: Mapping[str, float]
    onset: float = 0.4
    hold: float = 0.8
    back: float = 0.4

    def at(self, t: float) -> Mapping[str, float]:
        """See `Act.at`."""
        t -= self.begins
        out = 1.0 if t >= self.onset else _eased(t / self.onset)
        amount = out - (_eased((t - self.onset - self.hold) / self.back) if t > self.onset + self.hold else 0.0)
        return {name: amount * value for name, value in self.far.items()}


@dataclass(frozen=True)
class Waver:
    """To and fro between rest and `far`, `often` times a second, in an uneven rhythm: speech, for one."""

    begins: float
    ends: float
    far: Mapping[str, float]
    often: float = 4.0

    def at(self, t: float) -> Mapping[str, float]:
        """See `Act.at`."""
        if not self.begins <= t < self.ends:
            return {}
        phase = 2 * np.pi * self.often * (t + 0.13 * np.sin(2.3 * t))
        loud = 0.7 + 0.3 * np.sin(5.1 * t)
        return {name: loud * (0.5 - 0.5 * np.cos(phase)) * value for name, value in self.far.items()}


def _eased(part: float) -> float:
    part = min(1.0, max(0.0, part))
    return part**2 * (3 - 2 * part)


#: What people do when they are asked to, moderately: of the strengths measured, nearer to the weak ones.
FAR: dict[ChallengeType, Mapping[str, float]] = {
    ChallengeType.TURN_LEFT: {"yaw": 32.0, "pitch": 4.0},
    ChallengeType.TURN_RIGHT: {"yaw": -32.0, "pitch": 4.0},
    ChallengeType.LOOK_UP: {"pitch": 30.0, "yaw": 2.0},
    ChallengeType.LOOK_DOWN: {"pitch": -20.0, "left_lid": 0.3, "right_lid": 0.3},
    ChallengeType.BLINK: {"left_lid": 0.85, "right_lid": 0.85},
    ChallengeType.SMILE: {
        "mouth_width": 0.17,
        "mouth_drop": -0.09,
        "mouth_open": 0.04,
        "left_lid": 0.1,
        "right_lid": 0.1,
    },
    ChallengeType.OPEN_MOUTH: {"mouth_open": 0.22, "mouth_width": -0.03, "mouth_drop": 0.03, "pitch": 1.0},
}
GRIN = {"mouth_width": 0.2, "mouth_drop": -0.1, "mouth_open": 0.12, "left_lid": 0.15, "right_lid": 0.15}
YAWN = {"mouth_open": 0.6, "mouth_width": -0.06, "mouth_drop": 0.04, "left_lid": 0.5, "right_lid": 0.5, "pitch": 6.0}
SYLLABLE = {"mouth_open": 0.09, "mouth_width": 0.03, "mouth_drop": 0.02}
SHUT = {"left_lid": 0.85, "right_lid": 0.85}


def gesture(kind: ChallengeType, begins: float) -> Move:
    """A gesture as people do it who were asked to; of a blink at 5 frames a second one frame at least is closed."""
    if kind is ChallengeType.BLINK:
        return Move(begins, FAR[kind], onset=0.12, hold=0.2, back=0.16)
    return Move(begins, FAR[kind])


@dataclass(frozen=True)
class Film:
    """How it is filmed."""

    seconds: float
    fps: float = 8.0
    #: Seconds by which the first frame comes after the beginning.
    phase: float = 0.0
    seed: int = 0
    #: Extra fields of the observations, or of their faces.
    changes: Mapping[str, Any] = field(default_factory=dict)


def film(person: Person, *acts: Act, **how: Any) -> list[Frame]:
    """The frames of someone who does `acts`; `how` is a `Film`'s fields."""
    how_filmed = Film(**how)
    chance = np.random.default_rng(how_filmed.seed)
    times = np.arange(how_filmed.phase, how_filmed.seconds, 1 / how_filmed.fps)
    return [Frame(f"f{i}", T0 + t, _moment(person, acts, t, chance, how_filmed)) for i, t in enumerate(times.tolist())]


def _moment(person: Person, acts: Sequence[Act], t: float, chance: np.random.Generator, how: Film) -> Observation:
    values = {name: float(getattr(person, name, 0.0)) for name in _TREMBLE}
    lids = {"left_lid": 0.0, "right_lid": 0.0}
    for act in acts:
        for name, value in act.at(t).items():
            (lids if name in lids else values)[name] += value
    for side in ("left", "right"):
        values[f"{side}_eye"] *= 1 - min(1.0, lids[f"{side}_lid"])
    for name, far in _TREMBLE.items():
        # An eye's points tremble in proportion to how open the person's eyes are.
        unit = getattr(person, name) if name.endswith("eye") else 1.0
        values[name] += float(far * unit * person.tremble * chance.standard_normal())
    span = 3 * person.scale
    box = (person.x - span / 2, 0.2, span, 1.2 * span)
    gaze = (0.08 * float(np.sin(5 * t)), 0.05 * float(np.cos(7 * t)))
    shown = {"box": box, "scale": person.scale, "gaze": gaze, **values, "digest": chance.bytes(8).hex()}
    return observe(**{**shown, **how.changes})


def opened(*types: ChallengeType, timeout: float = 5.0, ttl: float = 300.0, mirrored: bool = False) -> Session:
    """A new session of these challenges, opened just before the film."""
    return Session.open("s", list(types), timeout_seconds=timeout, at=T0 - 1, ttl=ttl, mirrored=mirrored)


def submit(
    session: Session, frame: Frame, *, none_earlier: bool = True, weighing: Weighing = weights.WEIGHTS
) -> FrameResult:
    """One frame as a worker hands it in: with the frames at hand that the database would recall."""
    until, since = session.frames_needed(frame.at)
    session.frames = [f for f in session.frames if f.at <= until or f.at >= since]
    return session.submit(frame.id, frame.observation, frame.at, none_earlier=none_earlier, weighing=weighing)


def play(session: Session, frames: Iterable[Frame], *, none_earlier: bool = True) -> list[FrameResult]:
    """All the frames in the order given, and the answers to them."""
    return [submit(session, frame, none_earlier=none_earlier) for frame in frames]


def first_pass(kind: ChallengeType, frames: Sequence[Frame], *, timeout: float = 60.0) -> float | None:
    """Seconds from the film's beginning to the gesture that passes a session of this one challenge; None if none does.

    The pass itself is told later, when enough has been seen: the film must go on for as long.
    """
    session = opened(kind, timeout=timeout)
    if not any(submit(session, f).passed for f in frames):
        return None
    met = session.challenges[0].passed_at
    return None if met is None else met - T0
