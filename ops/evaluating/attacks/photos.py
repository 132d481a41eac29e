"""Photos that are held still, exchanged, or injected as files."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import cv2

from ops.evaluating.attacks.moving import Hand
from ops.evaluating.attacks.prints import show
from ops.evaluating.attacks.studio import Studio, taken
from ops.evaluating.cases import Case, Types, anything, asks
from ops.evaluating.player import Source
from ops.evaluating.video import Shot, encoded
from shared.liveness.challenge import ChallengeType
from workers.vision.landmarks import Picture, as_picture

#: Seconds in which one photo is faded into the other: three pictures in between, at eight a second.
FADE = 0.4


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
    """A stack of photos: neutral, then the one that shows what was asked for, then neutral again.

    By cuts of a stack that stands still; or faded into each other, as a screen or an injected film can, in a hand.
    """

    def case(gesture: ChallengeType, *, faded: bool) -> Case:
        detail = f"{gesture}, faded" if faded else str(gesture)

        def source(_: Types) -> Source:
            grain, hand = studio.grain("photo_swap", detail), Hand.by(studio.chance("photo_swap", detail))
            neutral, peak = studio.neutral(), studio.peak(gesture)
            if faded:
                peak = as_picture(cv2.resize(peak, neutral.shape[1::-1]))
            for i in count():
                at = i / studio.fps
                share = _share(at % 3, FADE if faded else 0.0)
                if faded:
                    mixture = as_picture(cv2.addWeighted(peak, share, neutral, 1 - share, 0))
                    yield taken(show(mixture, hand.hold(at)), grain)
                else:
                    yield taken(peak if share else neutral, grain)

        return studio.case("photo_swap", detail, 1, asks(gesture), source)

    for gesture in studio.target.gestures:
        yield case(gesture, faded=False)
        yield case(gesture, faded=True)


def _share(second: float, fade: float) -> float:
    """How much of the gesture's photo is there, of three seconds."""
    if fade == 0:
        return float(1.2 <= second < 1.9)
    return min(1.0, max(0.0, (second - 1.2) / fade), max(0.0, (1.9 + fade - second) / fade))


def same_frame(studio: Studio) -> Iterator[Case]:
    """One file sent again and again, byte for byte."""

    def case(gesture: ChallengeType) -> Case:
        def source(_: Types) -> Source:
            shot = Shot(encoded(studio.peak(gesture)))
            while True:
                yield shot

        return studio.case("same_frame", gesture, 1, asks(gesture), source)

    yield from map(case, studio.target.gestures)
