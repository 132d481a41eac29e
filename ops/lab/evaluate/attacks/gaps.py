"""A stack of photos with a black frame between any two pictures of the face."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from ops.lab.evaluate.attacks.moving import tremble
from ops.lab.evaluate.attacks.prints import show
from ops.lab.evaluate.attacks.stack import one_each, shown
from ops.lab.evaluate.attacks.studio import Studio, taken
from ops.lab.evaluate.cases import Case, Types
from ops.lab.evaluate.player import Source
from ops.lab.evaluate.video import black

#: Seconds from the neutral photo to the gesture's, to the neutral one again, and until it all starts over.
PHOTO, BACK, PERIOD = 1.2, 2.2, 3.0


def gaps(studio: Studio) -> Iterator[Case]:
    """A stack of photos in a hand at the full rate, every other frame of it black: the face has no unbroken track."""

    def source(detail: str, types: Types) -> Source:
        grain, chance = studio.grain("gaps", detail), studio.chance("gaps", detail)
        neutral, photo = studio.neutral(), studio.photo(types[0])
        for i in count():
            if i % 2:
                yield taken(black(neutral), grain)
                continue
            held = photo if PHOTO <= i / studio.fps % PERIOD < BACK else neutral
            yield taken(show(held, tremble(chance)), grain)

    return one_each(studio, "gaps", shown(studio), source)
