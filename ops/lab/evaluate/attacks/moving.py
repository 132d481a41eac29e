"""How an attacker moves what is held before the camera."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace

from ops.lab.evaluate.actors import READING
from ops.lab.evaluate.attacks.prints import Pose
from ops.lab.evaluate.cases import Types
from shared.liveness.challenge import HEAD_MOVEMENTS, ChallengeType
from shared.liveness.session import FrameResult

#: Seconds of a movement that answers a challenge: there, held, back, and still until the next try.
GO, HOLD, REST = 0.6, 0.6, 0.7
_WHOLE = GO + HOLD + GO + REST

_TOWARDS = {
    ChallengeType.TURN_LEFT: ("yaw", 1.0),
    ChallengeType.TURN_RIGHT: ("yaw", -1.0),
    ChallengeType.LOOK_UP: ("pitch", 1.0),
    ChallengeType.LOOK_DOWN: ("pitch", -1.0),
}


@dataclass(frozen=True, slots=True)
class Hand:
    """A hand that holds a print: how far it goes, how fast, and that it never is quite still."""

    #: Degrees that it turns and tilts the print by.
    reach: float
    pace: float
    phase: float
    bend: float
    scale: float

    @classmethod
    def by(cls, chance: random.Random, *, bend: bool = False, scale: float = 1.0) -> Hand:
        """Some attacker's hand. With `bend` the paper is bent to one side or the other, by up to a third of a circle."""
        bent = chance.choice((-1, 1)) * chance.uniform(40, 120) if bend else 0.0
        return cls(chance.uniform(30, 50), chance.uniform(0.8, 1.2), chance.uniform(0, 6), bent, scale)

    def wander(self, at: float) -> Pose:
        """Turned, tilted, rolled, moved and brought closer, all at once and in no relation to what is asked."""
        a = self.pace * at
        return Pose(
            yaw=self.reach * math.sin(1.9 * a),
            pitch=0.8 * self.reach * math.sin(1.3 * a + 1),
            roll=15 * math.sin(0.9 * a),
            scale=self.scale * (1 + 0.15 * math.sin(0.7 * a)),
            dx=0.05 * math.sin(1.1 * a),
            dy=0.05 * math.cos(a),
            # Bent and let go as it turns.
            bend=self.bend * (0.6 + 0.4 * math.sin(1.9 * a)),
        )

    def hold(self, at: float) -> Pose:
        """As still as a hand is."""
        a = at + self.phase
        return Pose(
            yaw=1.5 * math.sin(2.3 * a),
            pitch=1.2 * math.sin(3.1 * a),
            roll=0.8 * math.sin(1.7 * a),
            scale=self.scale * (1 + 0.01 * math.sin(1.3 * a)),
            dx=0.006 * math.sin(2.9 * a),
            dy=0.006 * math.sin(2.1 * a),
            bend=0.6 * self.bend,
        )

    def answer(self, challenge: ChallengeType | None, at: float, since: float) -> Pose:
        """Turn or tilt the print the way the challenge asks, again and again since it was asked for."""
        pose = self.hold(at)
        if challenge not in HEAD_MOVEMENTS:
            return pose
        axis, sign = _TOWARDS[challenge]
        second = (at - since) * self.pace - READING
        share = course(second)
        way = sign * self.reach * share
        pose = replace(pose, bend=self.bend * (0.6 + 0.4 * share))
        return replace(pose, yaw=pose.yaw + way) if axis == "yaw" else replace(pose, pitch=pose.pitch + way)


def tremble(chance: random.Random) -> Pose:
    """A photo in a trembling hand, in one frame: a little elsewhere each time, in no relation to the frame before."""
    return Pose(
        roll=chance.gauss(0, 1.2),
        scale=1 + chance.gauss(0, 0.012),
        dx=chance.gauss(0, 0.008),
        dy=chance.gauss(0, 0.008),
    )


class Prompted:
    """Knows which challenge is asked for now, and since when, from the answers."""

    def __init__(self, types: Types) -> None:
        self._types = list(types)
        self._since = 0.0

    @property
    def challenge(self) -> ChallengeType | None:
        """What is asked for now; None when all has passed."""
        return self._types[0] if self._types else None

    @property
    def since(self) -> float:
        """The second at which it was asked for."""
        return self._since

    def hear(self, reply: FrameResult | None, at: float) -> None:
        """Take in the answer that was there at `at`."""
        if reply is not None and reply.passed and self._types:
            del self._types[0]
            self._since = at


def course(second: float) -> float:
    """How much of a movement is done so many seconds after it began: 0 to 1 to 0, again and again."""
    if second < 0:
        return 0.0
    second %= _WHOLE
    if second < GO:
        return 0.5 - 0.5 * math.cos(math.pi * second / GO)
    if second < GO + HOLD:
        return 1.0
    if second < 2 * GO + HOLD:
        return 0.5 + 0.5 * math.cos(math.pi * (second - GO - HOLD) / GO)
    return 0.0
