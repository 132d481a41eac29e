"""The cases of a run: who is asked for what, and what they show."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ops.lab.evaluate.actors import forever, performer
from ops.lab.evaluate.manifest import Manifest, Person, Segment, drawable
from ops.lab.evaluate.player import Source
from shared.liveness.challenge import ChallengeType
from shared.liveness.draw import draw

#: Seconds that a gesture's clip goes on after its challenge has timed out.
GRACE = 2.0
#: The most draws of challenges until an actor can try them.
TRIES = 4000

Types = list[ChallengeType]


@dataclass(frozen=True, slots=True)
class Case:
    """One session to be played."""

    #: "hit", "false_accept", "bona_fide" or "attack".
    kind: str
    person: str
    #: Distinguishes the case from the person's other cases of this kind.
    detail: str
    #: Number of challenges.
    count: int
    #: Whether the actor can try these challenges; else others are drawn.
    accept: Callable[[Types], bool]
    make: Callable[[Types], Source]
    #: The species of an attack.
    species: str = ""
    clip: Segment | None = None

    @property
    def name(self) -> str:
        """A name that is unique within a run."""
        return ":".join(filter(None, (self.kind, self.species, self.person, self.detail)))

    def challenges(self, seed: int, lap: int = 0) -> Types | None:
        """The challenges drawn for it, the same in every run; None if none that it can try was drawn."""
        chance = random.Random(f"{seed}:{lap}:{self.name}")  # noqa: S311 - repeatable, not secret
        for _ in range(TRIES):
            types = draw(self.count, chance)
            if self.accept(types):
                return types
        return None

    def seconds(self, timeout: float) -> float:
        """The seconds that the case is played at most."""
        return timeout + GRACE if self.clip else self.count * (timeout + 1) + 3


def asks(*types: ChallengeType) -> Callable[[Types], bool]:
    """Accepts exactly these challenges."""
    return lambda drawn: drawn == list(types)


def within(able: set[ChallengeType]) -> Callable[[Types], bool]:
    """Accepts challenges of these types only."""
    return lambda drawn: set(drawn) <= able


def anything(_: Types) -> bool:
    """Accepts any challenges."""
    return True


def gesture_cases(person: Person, fps: float) -> Iterator[Case]:
    """Every clip of the person, asked for what it shows (hit) and for everything else (false accept).

    BLINK is not asked of other clips: people blink now and then, labelled or not, and that is a hit.
    """
    for gesture in ChallengeType:
        for clip in person.gestures.get(gesture, ()):
            yield _clip_case("hit", person.name, gesture, clip, fps)
        if gesture is not ChallengeType.BLINK:
            for clip in person.absent(gesture):
                yield _clip_case("false_accept", person.name, gesture, clip, fps)


def still_head_cases(manifest: Manifest, fps: float) -> Iterator[Case]:
    """Eyes that move in a still head, asked for a turn."""
    for clip in manifest.still_head:
        for gesture in (ChallengeType.TURN_LEFT, ChallengeType.TURN_RIGHT):
            yield _clip_case("false_accept", "still_head", gesture, clip, fps)


def bona_fide_cases(person: Person, fps: float) -> Iterator[Case]:
    """Whole sessions of one to three challenges, answered with the person's own clips."""
    able = set(person.gestures)
    for n in (1, 2, 3):
        if (n == 1 and able) or (len(able) >= n > 1 and drawable(able, able)):
            yield Case("bona_fide", person.name, str(n), n, within(able), lambda types: performer(person, types, fps))


def _clip_case(kind: str, person: str, gesture: ChallengeType, clip: Segment, fps: float) -> Case:
    segments: Sequence[Segment] = [clip]
    return Case(kind, person, f"{gesture}:{clip}", 1, asks(gesture), lambda _: forever(segments, fps), clip=clip)
