"""Prints that are turned, tilted, rolled, moved and bent before the camera."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from ops.lab.evaluate.attacks.moving import Hand
from ops.lab.evaluate.attacks.prints import make_room, show
from ops.lab.evaluate.attacks.studio import Studio, taken
from ops.lab.evaluate.cases import Case, Types, anything, asks
from ops.lab.evaluate.player import Source
from shared.liveness.challenge import HEAD_MOVEMENTS, ChallengeType

#: Size in the picture of a print that is held before a room.
HAND_SCALE = 0.85


def moved_photo(studio: Studio) -> Iterator[Case]:
    """A flat print: moved all ways at once, and turned the way that is asked for.

    It fills the picture, or is held before a room, whose background then stays where it is.
    """
    heads = sorted(HEAD_MOVEMENTS)
    studio.chance("moved_photo").shuffle(heads)
    for n in (1, 3):
        yield _print(studio, "moved_photo", f"filling, wandering, {n}", n)
    yield _print(studio, "moved_photo", "held, wandering, 3", 3, held=True)
    for i, gesture in enumerate(heads):
        held = bool(i % 2)
        yield _print(studio, "moved_photo", f"{'held' if held else 'filling'}, {gesture}", 1, asked=gesture, held=held)


def bent_photo(studio: Studio) -> Iterator[Case]:
    """A print that is bent around an upright cylinder while it turns, bulging like a face or hollow."""
    for n in (1, 3):
        yield _print(studio, "bent_photo", f"wandering, {n}", n, held=True, bend=True)
    for gesture in sorted(HEAD_MOVEMENTS):
        yield _print(studio, "bent_photo", gesture, 1, asked=gesture, held=True, bend=True)


def _print(
    studio: Studio,
    species: str,
    detail: str,
    n: int,
    *,
    asked: ChallengeType | None = None,
    held: bool = False,
    bend: bool = False,
) -> Case:
    def source(_: Types) -> Source:
        photo, chance = studio.neutral(), studio.chance(species, detail)
        hand = Hand.by(chance, bend=bend, scale=HAND_SCALE if held else 1.0)
        room = make_room(photo.shape[1], photo.shape[0], chance.randrange(1 << 30)) if held else None
        grain = studio.grain(species, detail)
        for i in count():
            at = i / studio.fps
            pose = hand.answer(asked, at, 0.0) if asked else hand.wander(at)
            yield taken(show(photo, pose, room), grain)

    return studio.case(species, detail, n, asks(asked) if asked else anything, source)
