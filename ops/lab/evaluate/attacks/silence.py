"""A stack of photos by a client that falls silent before the evidence is complete."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from ops.lab.evaluate.attacks.stack import one_each, shown
from ops.lab.evaluate.attacks.studio import Studio, taken
from ops.lab.evaluate.cases import Case, Types
from ops.lab.evaluate.player import Source
from ops.lab.evaluate.video import Shot, black, encoded
from shared.liveness import hints
from shared.liveness.session import FrameResult

#: Seconds of the neutral photo.
NEUTRAL = 1.5
#: From then on, each third frame is black.
EVERY = 3
#: Hints that tell an attacker that the gesture has been met, and that more is waited for.
MET = frozenset(hint.code for hint in (hints.HOLD_STILL, hints.LOOK_STRAIGHT, hints.WAIT))
#: Confidence from which such a hint is believed.
CONFIDENT = 0.5


def silence(studio: Studio) -> Iterator[Case]:
    """A stack of photos whose track black frames break at the gesture, by a client that stops when it has been met."""

    def source(detail: str, types: Types) -> Source:
        grain = studio.grain("silence", detail)
        neutral, photo = studio.neutral(), studio.photo(types[0])
        dark = Shot(encoded(black(neutral)))
        for _ in range(int(NEUTRAL * studio.fps)):
            yield taken(neutral, grain)
        for i in count():
            reply = yield dark if i % EVERY == EVERY - 1 else taken(photo, grain)
            if reply is not None and _met(reply):
                return

    return one_each(studio, "silence", shown(studio), source)


def _met(reply: FrameResult) -> bool:
    """Whether the answer gives away that the gesture is there."""
    return reply.passed or (reply.confidence > CONFIDENT and reply.hint is not None and reply.hint.code in MET)
