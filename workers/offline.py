"""The identity check without queue, Redis or rows: for players of recordings, and tests."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Protocol

from shared.liveness.observation import Observation
from shared.liveness.session import FrameResult, Session
from workers.vision.descriptor import Descriptor, decode_chip, distance
from workers.vision.landmarks import Picture
from workers.vision.pipeline import Seen
from workers.vision.prior import Prior

#: Descriptors that are remembered: the same recordings are played for many sessions.
ROOM = 4000


class Looks(Protocol):
    """What is needed of `workers.vision.pipeline.Vision`."""

    def look(self, data: bytes, prior: Prior | None, at: float) -> Seen:
        """What a picture shows, with the picture and its points at hand; raises BadImage."""


class Describes(Protocol):
    """What is needed of `workers.vision.descriptor.Describer`."""

    def describe(self, chip: Picture) -> Descriptor:
        """Whose face a chip shows."""


class OfflineIdentity:
    """Compares at the moment a frame is judged, or a given time later, what the identity worker compares beside it.

    For one session after the other. The session must have been opened with `identify`.
    """

    def __init__(self, vision: Looks, describer: Describes, *, delay: float = 0.0) -> None:
        """delay: seconds, by the frames' clock, that a comparison takes."""
        self._vision = vision
        self._describer = describer
        self._delay = delay
        self._known: OrderedDict[bytes, Descriptor | None] = OrderedDict()
        self._session: Session | None = None
        self._anchor: Descriptor | None = None
        self._under_way: list[tuple[float, str, Descriptor]] = []

    def saw(self, session: Session, data: bytes, _observation: Observation, _result: FrameResult, at: float) -> None:
        """A frame that arrived at `at` has been judged: compare its face if that is asked for."""
        if session is not self._session:
            self._session, self._anchor, self._under_way = session, None, []
        samples = session.identity.samples if session.identity else []
        asked = next((s.frame_id for s in samples if s.at == at and session.awaits_distance(s.frame_id)), None)
        if asked is not None and (descriptor := self._describe(data, at)) is not None:
            self._under_way.append((at + self._delay, asked, descriptor))
        self.wait(session, at)

    def wait(self, session: Session, at: float) -> None:
        """No other frame has come up to `at`: the comparisons that have ended by then come in."""
        while session is self._session and self._under_way and self._under_way[0][0] <= at:
            due, frame_id, descriptor = self._under_way.pop(0)
            if self._anchor is None:
                self._anchor = descriptor
            session.take_distance(frame_id, distance(self._anchor, descriptor), due)

    def _describe(self, data: bytes, at: float) -> Descriptor | None:
        key = hashlib.blake2b(data, digest_size=16).digest()
        if key not in self._known:
            # The points anew, and not from where the face was: what was measured may come out of a memory.
            chip = self._vision.look(data, None, at).chip()
            self._known[key] = None if chip is None else self._describer.describe(decode_chip(chip))
            if len(self._known) > ROOM:
                self._known.popitem(last=False)
        return self._known[key]
