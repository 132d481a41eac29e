"""Photos that are held still, exchanged, or injected as files."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from ops.evaluating.attacks.studio import Studio, taken
from ops.evaluating.cases import Case, Types, anything, asks
from ops.evaluating.player import Source
from ops.evaluating.video import Shot, encoded
from shared.liveness.challenge import ChallengeType
from workers.vision.landmarks import Picture


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
    """A stack of photos: neutral, then the one that shows what was asked for, then neutral again."""

    def case(gesture: ChallengeType) -> Case:
        def source(_: Types) -> Source:
            grain = studio.grain("photo_swap", gesture)
            neutral, peak = studio.neutral(), studio.peak(gesture)
            for i in count():
                second = i / studio.fps % 3
                yield taken(peak if 1.2 <= second < 1.9 else neutral, grain)

        return studio.case("photo_swap", gesture, 1, asks(gesture), source)

    yield from map(case, studio.target.gestures)


def same_frame(studio: Studio) -> Iterator[Case]:
    """One file sent again and again, byte for byte."""

    def case(gesture: ChallengeType) -> Case:
        def source(_: Types) -> Source:
            shot = Shot(encoded(studio.peak(gesture)))
            while True:
                yield shot

        return studio.case("same_frame", gesture, 1, asks(gesture), source)

    yield from map(case, studio.target.gestures)
