"""Photos that a screen fades into each other, where a stack of prints can only be cut."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import cv2

from ops.lab.evaluate.attacks.moving import Hand, Prompted
from ops.lab.evaluate.attacks.prints import show
from ops.lab.evaluate.attacks.stack import one_each, several
from ops.lab.evaluate.attacks.studio import Studio, taken
from ops.lab.evaluate.cases import Case, Types
from ops.lab.evaluate.player import Source
from workers.vision.landmarks import Picture, as_picture

#: Seconds in which one photo is faded into the other: three pictures in between, at eight a second.
FADE = 0.4
#: Seconds from the prompt to the beginning of each fade, and until it all starts over.
THERE, BACK, PERIOD = 1.2, 2.2, 3.0


def faded_photos(studio: Studio) -> Iterator[Case]:
    """Photos faded into each other on a screen that a trembling hand holds: neutral, the one asked for, neutral again."""

    def source(detail: str, types: Types) -> Source:
        grain, hand = studio.grain("faded_photos", detail), Hand.by(studio.chance("faded_photos", detail))
        screen, prompted = _Screen(studio.neutral()), Prompted(types)
        for i in count():
            at = i / studio.fps
            asked = prompted.challenge
            photo = screen.neutral if asked is None else studio.photo(asked)
            picture = screen.show(photo, at - prompted.since)
            reply = yield taken(show(picture, hand.hold(at)), grain)
            prompted.hear(reply, at)
            if prompted.challenge is not asked:
                screen.begin_from(picture)

    yield from one_each(studio, "faded_photos", studio.target.gestures, source)
    yield from several(studio, "faded_photos", studio.target.gestures, source)


class _Screen:
    """A screen that goes from a neutral photo to another one and back, and never in one step."""

    def __init__(self, neutral: Picture) -> None:
        self.neutral = neutral
        self._left = neutral

    def begin_from(self, picture: Picture) -> None:
        """The next challenge is asked for while the screen shows `picture`, which is then faded into the neutral photo."""
        self._left = picture

    def show(self, photo: Picture, second: float) -> Picture:
        """The picture on the screen, so many seconds after the prompt."""
        if second < FADE:
            return _mixed(self.neutral, self._left, second / FADE)
        return _mixed(photo, self.neutral, _share(second % PERIOD))


def _share(second: float) -> float:
    """The share of the gesture's photo in the picture."""
    return min(1.0, max(0.0, (second - THERE) / FADE), max(0.0, (BACK + FADE - second) / FADE))


def _mixed(photo: Picture, other: Picture, share: float) -> Picture:
    return as_picture(cv2.addWeighted(photo, share, other, 1 - share, 0))
