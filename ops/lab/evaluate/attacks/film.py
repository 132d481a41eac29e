"""A film of the target at rest, in which a program makes the gestures: the rest of it lives."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice

from ops.lab.evaluate.attacks.animated import Show, Style, animated
from ops.lab.evaluate.attacks.features import Expression
from ops.lab.evaluate.attacks.prints import Pose
from ops.lab.evaluate.attacks.puppet import Puppet
from ops.lab.evaluate.attacks.studio import Studio
from ops.lab.evaluate.cases import Case
from ops.lab.evaluate.video import decoded, shots
from workers.vision.landmarks import Picture

#: Seconds of the film, which is played to its end and back; and the fewest pictures with a face in it.
_LONGEST, _LEAST = 5.0, 8


def animated_film(studio: Studio) -> Iterator[Case]:
    """The target at rest, there and back again, turned and moved as each challenge asks."""
    segments = studio.target.neutral
    if not segments:
        return

    def program(style: Style, _: random.Random) -> Show | None:
        film = [decoded(shot.data) for shot in islice(shots(segments[0], studio.fps), int(_LONGEST * studio.fps))]
        seen = [(picture, vertices) for picture in film if (vertices := studio.solid(picture)) is not None]
        if len(seen) < _LEAST:
            return None
        there_and_back = seen + seen[-2:0:-1]

        def show(at: float, pose: Pose, expression: Expression) -> Picture:
            picture, vertices = there_and_back[round(at * studio.fps) % len(there_and_back)]
            if pose == Pose() and expression == Expression():
                return picture
            return Puppet(picture, vertices, style.build).show(pose, expression)

        return show

    yield from animated(studio, "animated_film", program, rests=False)
