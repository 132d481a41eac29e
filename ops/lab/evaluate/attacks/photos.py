"""Photos that are held still, exchanged, or injected as files."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from ops.lab.evaluate.attacks.moving import Prompted
from ops.lab.evaluate.attacks.stack import one_each, several
from ops.lab.evaluate.attacks.studio import Studio, taken
from ops.lab.evaluate.cases import Case, Types, anything, asks
from ops.lab.evaluate.player import Source
from ops.lab.evaluate.video import Shot, encoded
from shared.liveness.challenge import ChallengeType
from workers.vision.landmarks import Picture

#: Seconds from the prompt to the gesture's photo, to the neutral one again, and until it all starts over.
THERE, BACK, PERIOD = 1.2, 1.9, 3.0


def still(studio: Studio) -> Iterator[Case]:
    """A photo held still: neutral, and in the middle of each gesture that there is a photo of."""

    def case(detail: str, picture: Picture, gesture: ChallengeType | None) -> Case:
        def source(_: Types) -> Source:
            grain = studio.grain("still", detail)
            while True:
                yield taken(picture, grain)

        return studio.case("still", detail, 1, asks(gesture) if gesture else anything, source)

    yield case("neutral", studio.neutral(), None)
    for gesture in studio.target.gestures:
        yield case(gesture, studio.peak(gesture), gesture)


def photo_swap(studio: Studio) -> Iterator[Case]:
    """A stack of photos that stands still: neutral, then by a cut the one that was asked for, then neutral again."""

    def source(detail: str, types: Types) -> Source:
        grain, prompted = studio.grain("photo_swap", detail), Prompted(types)
        for i in count():
            at = i / studio.fps
            asked = prompted.challenge
            there = asked is not None and THERE <= (at - prompted.since) % PERIOD < BACK
            reply = yield taken(studio.photo(asked) if asked is not None and there else studio.neutral(), grain)
            prompted.hear(reply, at)

    yield from one_each(studio, "photo_swap", studio.target.gestures, source)
    yield from several(studio, "photo_swap", studio.target.gestures, source)


def same_frame(studio: Studio) -> Iterator[Case]:
    """One file sent again and again, byte for byte."""

    def case(gesture: ChallengeType) -> Case:
        def source(_: Types) -> Source:
            shot = Shot(encoded(studio.peak(gesture)))
            while True:
                yield shot

        return studio.case("same_frame", gesture, 1, asks(gesture), source)

    yield from map(case, studio.target.gestures)
