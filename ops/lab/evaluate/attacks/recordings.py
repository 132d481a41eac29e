"""Recordings of people, played to the camera or put in its place."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

from ops.lab.evaluate.actors import forever, performer
from ops.lab.evaluate.attacks.studio import Studio
from ops.lab.evaluate.cases import Case, Types, anything, within
from ops.lab.evaluate.manifest import Person, drawable
from ops.lab.evaluate.player import Scene, Source
from ops.lab.evaluate.video import shots
from shared.liveness.session import FrameResult


def replay(studio: Studio) -> Iterator[Case]:
    """A recording made beforehand: every gesture that the target has, in one fixed order, over and over."""
    target = studio.target
    if not target.neutral or not drawable(target.gestures, target.gestures):
        return
    order = sorted(target.gestures)

    def source(_: Types) -> Source:
        for gesture in cycle(order):
            yield from shots(target.gestures[gesture][0], studio.fps)
            yield from shots(target.neutral[0], studio.fps)

    yield studio.case("replay", "fixed order", min(3, len(order)), within(set(order)), source)


def identity_swap(studio: Studio) -> Iterator[Case]:
    """The target answers the first challenge, somebody else the second."""
    target = studio.target
    fit = [o for o in studio.others if o.neutral and target.neutral and drawable(target.gestures, o.gestures)]
    if not fit:
        return
    other = studio.chance("identity_swap").choice(fit)

    def accept(types: Types) -> bool:
        return types[0] in target.gestures and types[1] in other.gestures

    def source(types: Types) -> Source:
        reply = yield from _performing(target, types[:1], studio.fps, None)
        yield from _performing(other, types[1:], studio.fps, reply)

    yield studio.case("identity_swap", f"then {other.name}", 2, accept, source)


def recorded(species: str, recording: Person, studio: Studio) -> Iterator[Case]:
    """An attack as the manifest has it: the target on a real screen before a real camera, or a film made by a program.

    With gestures in it, the attacker finds the one asked for each time; without, the recording just runs.
    """
    able = set(recording.gestures)

    def just_runs(_: Types) -> Source:
        return forever(recording.neutral, studio.fps)

    def cued(types: Types) -> Source:
        return performer(recording, types, studio.fps)

    if not able:
        for n in (1, 3):
            yield studio.case(species, str(n), n, anything, just_runs)
        return
    for n in (1, 2):
        if n == 1 or drawable(able, able):
            yield studio.case(species, str(n), n, within(able), cued)


def _performing(person: Person, types: Types, fps: float, reply: FrameResult | None) -> Scene:
    """The performer, from an answer on that somebody else has got; returns the last answer."""
    acting = performer(person, types, fps)
    shot = next(acting)
    while True:
        reply = yield shot
        try:
            shot = acting.send(reply)
        except StopIteration:
            return reply
