"""A print with its eyes or its mouth cut out, and the attacker's own behind the holes.

The attacker's own are the target's here, out of its recordings: no better fitting eyes and mouths can be had.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import count, cycle

import cv2
import numpy as np
from numpy.typing import NDArray

from ops.lab.evaluate.actors import READING
from ops.lab.evaluate.attacks.moved import HAND_SCALE
from ops.lab.evaluate.attacks.moving import Hand, Prompted
from ops.lab.evaluate.attacks.prints import make_room, show
from ops.lab.evaluate.attacks.studio import Studio, taken
from ops.lab.evaluate.cases import Case, Types, asks
from ops.lab.evaluate.manifest import Segment
from ops.lab.evaluate.player import Source
from ops.lab.evaluate.video import decoded, shots
from shared.liveness.challenge import HEAD_MOVEMENTS, ChallengeType
from workers.vision.landmarks import Picture, Points, as_picture

#: Of the 68 points: those that keep their places in a face whatever it does.
_RIGID = (27, 28, 29, 30, 31, 33, 35, 36, 39, 42, 45)
_EYES = (range(36, 42), range(42, 48))
_MOUTH = (range(48, 60),)

#: What must be seen through the holes to answer a challenge, and how much larger than it they are cut, across and down.
_HOLES = {
    ChallengeType.BLINK: (_EYES, 1.5, 2.6),
    ChallengeType.SMILE: (_MOUTH, 1.7, 2.0),
    ChallengeType.OPEN_MOUTH: (_MOUTH, 1.5, 2.4),
}


def cut_out(studio: Studio) -> Iterator[Case]:
    """The print held as still as a hand can while the holes answer; turned the way that is asked for in whole sessions."""
    for gesture in (g for g in _HOLES if g in studio.target.gestures):
        work = _Work(studio, gesture)
        for n in (1, 2):
            yield _case(studio, work, n, held=False)
            yield _case(studio, work, n, held=True)


class _Work:
    """The print and what shows through its holes, cut when it is first needed."""

    def __init__(self, studio: Studio, gesture: ChallengeType) -> None:
        self.gesture = gesture
        self._studio = studio

    @cached_property
    def resting(self) -> list[Picture]:
        """Eyes or mouth doing nothing; before the gesture, where nothing else was recorded."""
        composed = _through_holes(self._studio, self.gesture, self._studio.target.neutral[:1])
        return composed or self.acting[:1]

    @cached_property
    def acting(self) -> list[Picture]:
        """Eyes or mouth doing what is asked for."""
        return _through_holes(self._studio, self.gesture, self._studio.target.gestures[self.gesture])


def _case(studio: Studio, work: _Work, n: int, *, held: bool) -> Case:
    gesture = work.gesture
    detail = f"{gesture}, {'held' if held else 'filling'}, {n}"

    def accept(types: Types) -> bool:
        return asks(gesture)(types) if n == 1 else gesture in types and bool(HEAD_MOVEMENTS & set(types))

    def source(types: Types) -> Source:
        photo, chance = studio.neutral(), studio.chance("cut_out", detail)
        grain = studio.grain("cut_out", detail)
        hand = Hand.by(chance, scale=HAND_SCALE if held else 1.0)
        room = make_room(photo.shape[1], photo.shape[0], chance.randrange(1 << 30)) if held else None
        resting, acting, prompted = cycle(work.resting), cycle(work.acting), Prompted(types)
        for i in count():
            at = i / studio.fps
            busy = prompted.challenge == gesture and at - prompted.since > READING
            seen = next(acting if busy else resting, None)
            if seen is None:
                return  # No face was found in any of it.
            reply = yield taken(show(seen, hand.answer(prompted.challenge, at, prompted.since), room), grain)
            prompted.hear(reply, at)

    return studio.case("cut_out", detail, n, accept, source)


def _through_holes(studio: Studio, gesture: ChallengeType, segments: Sequence[Segment]) -> list[Picture]:
    """The photo with what the segments show in its holes; pictures whose face is not found are left out."""
    photo = studio.neutral()
    goal = studio.points(photo)
    if goal is None:
        return []
    mask = _mask(photo, goal, gesture)
    composed = []
    for segment in segments:
        for shot in shots(segment, studio.fps):
            live = decoded(shot.data)
            points = studio.points(live)
            if points is not None:
                composed.append(_composed(photo, live, _fit(points, goal), mask))
    return composed


def _mask(photo: Picture, points: Points, gesture: ChallengeType) -> NDArray[np.float32]:
    """1 in the holes, 0 on the paper, with an edge of a pixel or two."""
    parts, across, down = _HOLES[gesture]
    mask = np.zeros(photo.shape[:2], np.float32)
    for part in parts:
        x, y, width, height = cv2.boundingRect(points[list(part)].astype(np.float32))
        # Eyes of a person who squints in the photo need room as well.
        axes = int(width * across / 2), int(max(height, 0.35 * width) * down / 2)
        cv2.ellipse(mask, (x + width // 2, y + height // 2), axes, 0, 0, 360, 1.0, -1)
    return np.asarray(cv2.GaussianBlur(mask, (3, 3), 0), np.float32)


def _fit(points: Points, goal: Points) -> NDArray[np.float64]:
    """The turn, size and shift that lay a face's rigid points over those of the photo."""
    rigid = list(_RIGID)
    fit, _ = cv2.estimateAffinePartial2D(points[rigid], goal[rigid], method=cv2.LMEDS)
    return np.asarray(fit, np.float64)


def _composed(photo: Picture, live: Picture, fit: NDArray[np.float64], mask: NDArray[np.float32]) -> Picture:
    height, width = photo.shape[:2]
    behind = cv2.warpAffine(live, fit, (width, height), borderMode=cv2.BORDER_REPLICATE)
    share = mask[..., None]
    return as_picture((photo * (1 - share) + behind * share).astype(np.uint8))
