"""Kinds of clients: steady ones, clients with a bad line or a bad encoder, and one that chooses what is seen."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

import cv2
import cv2.typing

from ops.lab.evaluate.video import Shot, black, decoded, encoded

if TYPE_CHECKING:  # the command line names the clients, and must not wait for vision
    from ops.lab.evaluate.player import Source
    from shared.liveness.session import FrameResult

#: The client that sends each picture in time.
STEADY = "steady"
#: The probability that a frame is lost.
LOST = 0.15
#: The most seconds of a usual delay; the seconds of a pause of the line; the probability that a frame meets a pause.
JITTER, PAUSE, PAUSES = 0.1, 0.35, 0.05
#: Seconds between two delayed frames that arrive one after the other.
BURST = 0.01
#: Pictures between two black frames.
WHOLE = 5

#: Mean change in grey levels from which a picture moves; seconds after which a picky client sends one that does not.
MOVES, SELDOM = 0.6, 0.4

#: What becomes of a frame, by its number; None: the frame does not arrive.
Fate = Callable[[int, Shot], Shot | None]


def _drops(_: float, chance: random.Random) -> Fate:
    """A line that loses frames."""
    return lambda _, shot: None if chance.random() < LOST else shot


def _late(fps: float, chance: random.Random) -> Fate:
    """A line that delays frames and sometimes pauses; frames arrive in the order of sending."""
    newest = 0.0

    def fate(index: int, shot: Shot) -> Shot:
        nonlocal newest
        due = index / fps
        delay = PAUSE if chance.random() < PAUSES else chance.uniform(0, JITTER)
        newest = max(due + delay, newest + BURST)
        # Rounded, since measurements are cached by times of four digits.
        return replace(shot, late=round(newest - due, 4))

    return fate


def _gaps(_: float, __: random.Random) -> Fate:
    """An encoder that gives a black frame after every five pictures."""

    def fate(index: int, shot: Shot) -> Shot:
        dark = index % (WHOLE + 1) == WHOLE
        return replace(shot, data=encoded(black(decoded(shot.data)))) if dark else shot

    return fate


def _picky(fps: float, _: random.Random) -> Fate:
    """A client that sends all pictures in which something moves, and the others as seldom as a face can be followed."""
    before: cv2.typing.MatLike | None = None
    sent = 0

    def fate(index: int, shot: Shot) -> Shot | None:
        nonlocal before, sent
        picture = cv2.cvtColor(decoded(shot.data), cv2.COLOR_BGR2GRAY)
        moves = before is None or cv2.absdiff(picture, before).mean() > MOVES
        before = picture
        if not moves and index - sent < SELDOM * fps:
            return None
        sent = index
        return shot

    return fate


CLIENTS: Mapping[str, Callable[[float, random.Random], Fate] | None] = {
    STEADY: None,
    "drops": _drops,
    "late": _late,
    "gaps": _gaps,
    "picky": _picky,
}


def sent_by(client: str, source: Source, fps: float, chance: random.Random) -> Source:
    """The source's pictures as `client` sends them, at `fps` frames a second."""
    makes = CLIENTS[client]
    if makes is None:
        yield from source
        return
    fate = makes(fps, chance)
    reply: FrameResult | None = None
    for index in count():
        try:
            shot = source.send(reply)  # a generator's first step takes no answer: None
        except StopIteration:
            return
        reply = yield shot and fate(index, shot)
