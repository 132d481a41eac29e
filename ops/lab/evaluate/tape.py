"""A source that can be played again: making an attack's pictures costs more than judging them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from ops.lab.evaluate.player import Source
from ops.lab.evaluate.video import Shot
from shared.liveness.session import FrameResult


class Tape:
    """Plays a source for each preset, and makes its pictures only once.

    As long as the answers are those that the tape was made with, its pictures are too; from the first other one on, a
    source of its own takes over.
    """

    def __init__(self, make: Callable[[], Source]) -> None:
        self._make = make
        self._source = make()
        self._shots: list[Shot | None] = []
        self._heard: list[FrameResult | None] = []

    def play(self) -> Source:
        """The source from its beginning."""
        reply: FrameResult | None = None
        for index in count():
            if index == len(self._shots):
                try:
                    self._shots.append(self._source.send(reply))
                except StopIteration:
                    return
                self._heard.append(reply)
            elif not _alike(self._heard[index], reply):
                yield from self._anew([*self._heard[:index], reply])
                return
            reply = yield self._shots[index]

    def _anew(self, heard: list[FrameResult | None]) -> Source:
        source = self._make()
        try:
            for reply in heard:
                shot = source.send(reply)
            while True:
                shot = source.send((yield shot))
        except StopIteration:
            return


def _alike(a: FrameResult | None, b: FrameResult | None) -> bool:
    """Whether an actor would continue in the same way."""
    if a is None or b is None:
        return a is b
    return _heeded(a) == _heeded(b)


def _heeded(reply: FrameResult) -> tuple[object, ...]:
    """The part of an answer that actors react to."""
    return reply.passed, reply.challenge_type, reply.confidence, reply.hint and reply.hint.code
