"""The random draw of a session's challenges, and of the pauses between them.

Every sequence that follows the rules of `draw` is equally likely, so that nobody can prepare for one.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise
from typing import Protocol

from shared.liveness.challenge import EXPRESSIONS, HEAD_MOVEMENTS, OPPOSITES, ChallengeType

#: Least and most seconds from a pass to the reveal of the next challenge, where challenges are revealed one at a time: too
#: long to act in advance, too short to look like a hang.
PAUSE = (0.5, 2.0)

#: Orders that are tried for challenges that a caller has named: of three that fit together at all, one in three does.
ORDERS = 100


class Randomness(Protocol):
    """The source of randomness that a draw needs, e.g. `random.SystemRandom()`."""

    def uniform(self, a: float, b: float, /) -> float:
        """A number from a to b, uniformly distributed."""

    def choice(self, seq: list[ChallengeType], /) -> ChallengeType:
        """One element of seq, each equally likely."""


def draw(
    count: int, chance: Randomness, allowed: Collection[ChallengeType] = tuple(ChallengeType)
) -> list[ChallengeType]:
    """Draw `count` challenges from `allowed` at random.

    A challenge never follows itself or its opposite, unless `allowed` has no other. Two or more challenges contain at least
    one head movement and one expression, if `allowed` has both. Draws that break a rule are rejected whole, so that all
    valid ones are equally likely.

    Raises ValueError if `count` is below 1 or `allowed` is empty.
    """
    allowed = sorted(set(allowed))
    if count < 1 or not allowed:
        raise ValueError("count must be at least 1, and allowed must not be empty")
    mixed = count >= 2 and bool(HEAD_MOVEMENTS & set(allowed)) and bool(EXPRESSIONS & set(allowed))
    successors = {t: _successors(t, allowed) for t in allowed}
    while True:
        drawn = [chance.choice(allowed) for _ in range(count)]
        in_order = all(later in successors[earlier] for earlier, later in pairwise(drawn))
        if in_order and (not mixed or (HEAD_MOVEMENTS & set(drawn) and EXPRESSIONS & set(drawn))):
            return drawn


def _successors(last: ChallengeType, allowed: list[ChallengeType]) -> list[ChallengeType]:
    """The challenges that may follow `last`: neither `last` nor its opposite, unless `allowed` has no others."""
    others = [t for t in allowed if t not in (last, OPPOSITES.get(last))]
    return others or [t for t in allowed if t != last] or allowed


def draw_order(named: Collection[ChallengeType], chance: Randomness) -> list[ChallengeType]:
    """Put the challenges that a caller has named into an order at random.

    No challenge follows itself or its opposite, as far as ORDERS tries find such an order.
    """
    order: list[ChallengeType] = []
    for _ in range(ORDERS):
        left, order = list(named), []
        while left:
            order.append(chance.choice(left))
            left.remove(order[-1])
        if not any(later in (earlier, OPPOSITES.get(earlier)) for earlier, later in pairwise(order)):
            break
    return order


def draw_pauses(count: int, chance: Randomness) -> tuple[float, ...]:
    """The pauses, in seconds, of a session that reveals its challenges one at a time: one before each but the first."""
    return tuple(chance.uniform(*PAUSE) for _ in range(count - 1))
