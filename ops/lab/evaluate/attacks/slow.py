"""A stack of photos, sent by a client that chooses a low frame rate."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, repeat

from ops.lab.evaluate.attacks.moving import Prompted, tremble
from ops.lab.evaluate.attacks.prints import show
from ops.lab.evaluate.attacks.stack import one_each, several, shown
from ops.lab.evaluate.attacks.studio import Studio, taken
from ops.lab.evaluate.cases import Case, Types
from ops.lab.evaluate.player import Source

#: Frames a second that the client sends, whatever the rate of the session's other clients.
RATE = 2.0
#: Pictures of the neutral photo, then of the gesture's, over and over until the challenge has passed.
NEUTRAL, GESTURE = 2, 3


def slow_photos(studio: Studio) -> Iterator[Case]:
    """A stack of photos in a hand, by a client that sends two frames a second."""

    def source(detail: str, types: Types) -> Source:
        grain, chance = studio.grain("slow_photos", detail), studio.chance("slow_photos", detail)
        left_out = max(1, round(studio.fps / RATE)) - 1
        prompted = Prompted(types)
        position = 0
        for sent in count():
            asked = prompted.challenge
            resting = asked is None or position % (NEUTRAL + GESTURE) < NEUTRAL
            photo = studio.neutral() if asked is None or resting else studio.photo(asked)
            reply = yield taken(show(photo, tremble(chance)), grain)
            prompted.hear(reply, sent * (1 + left_out) / studio.fps)
            position = position + 1 if prompted.challenge is asked else 0
            yield from repeat(None, left_out)

    yield from one_each(studio, "slow_photos", shown(studio), source)
    yield from several(studio, "slow_photos", shown(studio), source)
