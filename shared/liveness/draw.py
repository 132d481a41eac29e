"""Drawing the challenges of a session."""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise
from typing import Protocol

from shared.liveness.challenge import EXPRESSIONS, HEAD_MOVEMENTS, OPPOSITES, ChallengeType

#: Seconds, least and most, from a pass to the reveal of the next challenge, where they are revealed one at a time: long
#: enough that nobody can act in advance, short enough that nobody thinks it has stopped.
PAUSE = (0.5, 2.0)


class Randomness(Protocol):
    """The randomness a draw needs; `random.SystemRandom()` is one."""

    def uniform(self, a: float, b: float, /) -> float:
        """A number from a to b."""

    def choice(self, seq: list[ChallengeType], /) -> ChallengeType:
        """One of seq, each as likely as any other."""


def draw(
    count: int, chance: Randomness, allowed: Collection[ChallengeType] = tuple(ChallengeType)
) -> list[ChallengeType]:
    """`count` challenges out of `allowed`, by chance.

    Never the same challenge or its opposite twice running, where `allowed` leaves another; from two challenges on at
    least one head movement and one expression, where it has both. Whole draws are thrown away until one is fit, so that
    every fit draw is equally likely.
    """
    allowed = sorted(set(allowed))
    if count < 1 or not allowed:
        raise ValueError("count and the allowed challenges must be at least 1")
    mixed = count >= 2 and bool(HEAD_MOVEMENTS & set(allowed)) and bool(EXPRESSIONS & set(allowed))
    following = {t: _may_follow(t, allowed) for t in allowed}
    while True:
        drawn = [chance.choice(allowed) for _ in range(count)]
        fit = all(later in following[earlier] for earlier, later in pairwise(drawn))
        if fit and (not mixed or (HEAD_MOVEMENTS & set(drawn) and EXPRESSIONS & set(drawn))):
            return drawn


def _may_follow(last: ChallengeType, allowed: list[ChallengeType]) -> list[ChallengeType]:
    """What may follow a challenge: not itself nor its opposite, where there is another; its opposite, where that is all."""
    others = [t for t in allowed if t not in (last, OPPOSITES.get(last))]
    return others or [t for t in allowed if t != last] or allowed


def draw_pauses(count: int, chance: Randomness) -> tuple[float, ...]:
    """The pauses of a session of `count` challenges that are revealed one at a time: one before each but the first."""
    return tuple(chance.uniform(*PAUSE) for _ in range(count - 1))
