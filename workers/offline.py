"""The identity check without queue, Redis or database: for the laboratory, which plays recordings, and for tests."""

from __future__ import annotations

import hashlib
from collections import OrderedDict

from shared.liveness.observation import Observation
from shared.liveness.session import FrameResult, Session
from workers.tools import Describes, Looks
from workers.vision.descriptor import Descriptor, decode_chip, distance

#: Most descriptors that are remembered: the same recordings are played in many sessions.
ROOM = 4000


class OfflineIdentity:
    """Compares faces in step with the frames, in place of the identity worker.

    It serves one session after the other; each must have been opened with `identify`.
    """

    def __init__(self, vision: Looks, describer: Describes, *, delay: float = 0.0) -> None:
        """delay: seconds of the frames' own time that a comparison takes."""
        self._vision = vision
        self._describer = describer
        self._delay = delay
        self._known: OrderedDict[bytes, Descriptor | None] = OrderedDict()
        self._session: Session | None = None
        self._anchor: Descriptor | None = None
        self._under_way: list[tuple[float, str, Descriptor]] = []

    def saw(self, session: Session, data: bytes, _observation: Observation, _result: FrameResult, at: float) -> None:
        """Take in a frame that arrived at `at` and has been judged; compare its face if the session asks for that."""
        if session is not self._session:
            self._session, self._anchor, self._under_way = session, None, []
        samples = session.identity.samples if session.identity else []
        asked = next((s.frame_id for s in samples if s.at == at and session.awaits_distance(s.frame_id)), None)
        if asked is not None and (descriptor := self._describe(data, at)) is not None:
            self._under_way.append((at + self._delay, asked, descriptor))
        self.wait(session, at)

    def wait(self, session: Session, at: float) -> None:
        """Let time pass until `at`: tell the session of the comparisons that are finished by then."""
        while session is self._session and self._under_way and self._under_way[0][0] <= at:
            due, frame_id, descriptor = self._under_way.pop(0)
            if self._anchor is None:
                self._anchor = descriptor
            session.take_distance(frame_id, distance(self._anchor, descriptor), due)

    def _describe(self, data: bytes, at: float) -> Descriptor | None:
        key = hashlib.blake2b(data, digest_size=16).digest()
        if key not in self._known:
            # Looked for without a prior: the frame's own measures may come from a cache that holds no picture.
            chip = self._vision.look(data, None, at).chip()
            self._known[key] = None if chip is None else self._describer.describe(decode_chip(chip))
            if len(self._known) > ROOM:
                self._known.popitem(last=False)
        return self._known[key]
