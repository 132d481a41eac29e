"""A stack of photos of one target, one for each gesture, and the sessions that an attacker tries with it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from functools import partial

from ops.lab.evaluate.attacks.studio import Studio
from ops.lab.evaluate.cases import Case, Types, asks, within
from ops.lab.evaluate.manifest import drawable
from ops.lab.evaluate.player import Source
from shared.liveness.challenge import ChallengeType

#: Challenges of a longer session.
SEVERAL = 3

#: Makes the source of the session of that name.
Make = Callable[[str, Types], Source]


def shown(studio: Studio) -> list[ChallengeType]:
    """The gestures that one photo can show: all that were recorded, but the blink."""
    return [g for g in studio.target.gestures if g is not ChallengeType.BLINK]


def one_each(studio: Studio, species: str, gestures: Collection[ChallengeType], make: Make) -> Iterator[Case]:
    """One session of one challenge for each of the gestures."""
    for gesture in gestures:
        detail = str(gesture)
        yield studio.case(species, detail, 1, asks(gesture), partial(make, detail))


def several(studio: Studio, species: str, gestures: Collection[ChallengeType], make: Make) -> Iterator[Case]:
    """One session of three challenges, where the service draws such sessions out of the gestures."""
    if drawable(gestures, gestures):
        detail = str(SEVERAL)
        yield studio.case(species, detail, SEVERAL, within(set(gestures)), partial(make, detail))
