"""One photo that is brought to life: turned, nodded, smiling, blinking, by a program that moves its pixels.

Nobody knows which programs attackers use. So each session has a style of its own: how far and how fast the head goes, how
its movement fades into the background, what is in the mouth, how much noise the camera has.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count

import cv2

from ops.lab.evaluate.actors import READING
from ops.lab.evaluate.attacks.features import Expression
from ops.lab.evaluate.attacks.moving import Prompted, course
from ops.lab.evaluate.attacks.prints import Pose
from ops.lab.evaluate.attacks.puppet import Build, Puppet
from ops.lab.evaluate.attacks.studio import Studio
from ops.lab.evaluate.cases import Case, Types, anything, asks
from ops.lab.evaluate.player import Source
from ops.lab.evaluate.video import Shot, encoded
from shared.liveness.challenge import HEAD_MOVEMENTS, ChallengeType
from workers.vision.landmarks import Picture, as_picture

#: Seconds that a blink takes to close, and to open again.
_LID = 0.14
#: Seconds from one blink to the next while another challenge is met.
_BLINKS = (2.0, 5.0)
#: Mouths' insides (blue, green, red): nearly black, dark red, grey as teeth in the shade.
_INSIDES = ((12.0, 10.0, 14.0), (24.0, 20.0, 62.0), (70.0, 78.0, 88.0))


@dataclass(frozen=True, slots=True)
class Style:
    """How some program, in some hand, animates."""

    build: Build
    #: Degrees that a turn and a nod go.
    turn: float
    nod: float
    #: How far smile and mouth go.
    reach: float
    #: Speed of everything; 1: GO seconds a way.
    pace: float
    #: How much the head wanders at rest; 1: some two degrees.
    idle: float
    #: How much the mouth stirs at rest; 1: as far as half a smile.
    fidget: float
    phase: float
    #: Whether a camera's noise lies over it: an injected film has none.
    noisy: bool
    #: Pixels of blur: a generator's picture is softer than a photo.
    blur: float
    #: Seconds between two blinks of its own; 0 for none.
    blinks: float

    @classmethod
    def by(cls, chance: random.Random) -> Style:
        """Some attacker's style."""
        return cls(
            build=Build(chance.uniform(0.3, 1.2), chance.random() < 0.3, chance.choice(_INSIDES)),
            turn=chance.uniform(28, 40),
            nod=chance.uniform(22, 32),
            reach=chance.uniform(0.8, 1.3),
            pace=chance.uniform(0.7, 1.4),
            # From all but still to a head that is never at rest: a recording of somebody may drive it.
            idle=0.3 * 16 ** chance.random(),
            fidget=chance.choice((0.0, chance.random())),
            phase=chance.uniform(0, 6),
            noisy=chance.random() < 0.6,
            blur=chance.choice((0.0, 0.0, 0.8)),
            blinks=chance.choice((0.0, chance.uniform(*_BLINKS))),
        )

    def rest(self, at: float) -> tuple[Pose, Expression]:
        """Idle movement, with blinks now and then."""
        a, much = self.pace * at + self.phase, self.idle
        pose = Pose(
            yaw=much * (1.4 * math.sin(1.1 * a) + 0.6 * math.sin(2.7 * a + 1)),
            pitch=much * (1.0 * math.sin(0.8 * a + 2) + 0.5 * math.sin(2.2 * a)),
            roll=much * 0.8 * math.sin(0.9 * a + 4),
            scale=1 + much * 0.006 * math.sin(0.7 * a),
            dx=much * 0.003 * math.sin(1.3 * a),
            dy=much * 0.003 * math.sin(1.0 * a + 3),
        )
        lids = _lids(at % self.blinks) if self.blinks else 0.0
        smile = self.fidget * max(0.0, 0.3 * math.sin(1.7 * a) + 0.2 * math.sin(3.1 * a))
        return pose, Expression(smile, self.fidget * max(0.0, 0.06 * math.sin(2.3 * a)), lids)

    def answer(self, challenge: ChallengeType | None, at: float, since: float) -> tuple[Pose, Expression]:
        """The gesture that is asked for, again and again until it has passed."""
        pose, expression = self.rest(at)
        second = (at - since) * self.pace - READING
        if challenge is None or second < 0:
            return pose, expression
        share = course(second)
        if challenge in HEAD_MOVEMENTS:
            return _turned(pose, challenge, share, self), expression
        if challenge is ChallengeType.BLINK:
            return pose, replace(expression, lids=_lids((at - since - READING / self.pace) % 1.6))
        if challenge is ChallengeType.SMILE:
            return pose, replace(expression, smile=max(expression.smile, 1.1 * self.reach * share))
        return pose, replace(expression, mouth=max(expression.mouth, self.reach * share))


#: Gives the pictures of a program, so many seconds after its beginning, with that pose and expression.
Show = Callable[[float, Pose, Expression], Picture]
#: Makes such a program for one session, in its style; None where the target's face is not found.
Program = Callable[[Style, random.Random], Show | None]


def animated_photo(studio: Studio) -> Iterator[Case]:
    """A neutral photo that answers each challenge by itself, and whole sessions."""

    def program(style: Style, _: random.Random) -> Show | None:
        puppet = puppet_of(studio, style)
        return None if puppet is None else (lambda _, pose, expression: puppet.show(pose, expression))

    return animated(studio, "animated_photo", program)


def puppet_of(studio: Studio, style: Style) -> Puppet | None:
    """The target's neutral photo as a puppet in that style; None where no face is found in the photo."""
    photo = studio.neutral()
    vertices = studio.solid(photo)
    return None if vertices is None else Puppet(photo, vertices, style.build)


def animated(studio: Studio, species: str, program: Program, *, rests: bool = True) -> Iterator[Case]:
    """The sessions that an attacker tries with a program: one for each gesture, and two of three challenges.

    rests: whether the program moves the head, the lids and the mouth at rest as well, not only when it answers.
    """
    for gesture in ChallengeType:
        yield _case(studio, species, program, str(gesture), gesture, rests=rests)
    for n in (1, 2):
        yield _case(studio, species, program, f"3, style {n}", None, rests=rests)


def _case(
    studio: Studio, species: str, program: Program, detail: str, asked: ChallengeType | None, *, rests: bool
) -> Case:
    def source(types: Types) -> Source:
        style = Style.by(studio.chance(species, detail))
        style = style if rests else replace(style, idle=0.0, fidget=0.0, blinks=0.0)
        show = program(style, studio.chance(species, detail, "program"))
        if show is None:
            return
        grain, prompted = studio.grain(species, detail), Prompted(types)
        for i in count():
            at = i / studio.fps
            picture = _softened(show(at, *style.answer(prompted.challenge, at, prompted.since)), style.blur)
            reply = yield Shot(encoded(grain.over(picture) if style.noisy else picture))
            prompted.hear(reply, at)

    return studio.case(species, detail, 1 if asked else 3, asks(asked) if asked else anything, source)


def _turned(pose: Pose, challenge: ChallengeType, share: float, style: Style) -> Pose:
    if challenge in (ChallengeType.TURN_LEFT, ChallengeType.TURN_RIGHT):
        sign = 1 if challenge is ChallengeType.TURN_LEFT else -1
        return replace(pose, yaw=pose.yaw + sign * style.turn * share)
    sign = 1 if challenge is ChallengeType.LOOK_UP else -1
    return replace(pose, pitch=pose.pitch + sign * style.nod * share)


def _lids(second: float) -> float:
    """How far the lids are down, `second` after a blink began."""
    return max(0.0, 1 - abs(second - _LID) / _LID) if second >= 0 else 0.0


def _softened(picture: Picture, blur: float) -> Picture:
    return as_picture(cv2.GaussianBlur(picture, (0, 0), blur)) if blur else picture
