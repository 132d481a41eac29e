"""The identity check and the operator's own model, offline: for the laboratory, which plays recordings, and for tests."""

from __future__ import annotations

import hashlib
from collections import OrderedDict

from shared.evidence_model import EvidenceModel
from shared.liveness.observation import Observation
from shared.liveness.session import FrameResult, Session
from workers.tools import Describes, Looks
from workers.vision.descriptor import Descriptor, decode_chip, distance
from workers.vision.passive import PassiveModel, cut_crops

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


class OfflinePassive:
    """Runs the operator's own model in step with the frames, in place of the identity worker.

    It serves one session after the other; each must have been opened with `passive`.
    """

    def __init__(self, vision: Looks, model: EvidenceModel, *, delay: float = 0.0) -> None:
        """delay: seconds of the frames' own time that a score takes. Raises ModelError, see `PassiveModel`."""
        self._vision = vision
        self._model = model
        self._networks = PassiveModel(model)
        self._delay = delay
        self._known: OrderedDict[bytes, float | None] = OrderedDict()
        self._session: Session | None = None
        self._under_way: list[tuple[float, str, float]] = []

    def saw(self, session: Session, data: bytes, _observation: Observation, _result: FrameResult, at: float) -> None:
        """Take in a frame that arrived at `at` and has been judged; score its face if the session asks for that."""
        if session is not self._session:
            self._session, self._under_way = session, []
        samples = session.passive.samples if session.passive else []
        asked = next((s.frame_id for s in samples if s.at == at and session.awaits_score(s.frame_id)), None)
        if asked is not None and (score := self._score(data, at)) is not None:
            self._under_way.append((at + self._delay, asked, score))
        self.wait(session, at)

    def wait(self, session: Session, at: float) -> None:
        """Let time pass until `at`: tell the session of the scores that are there by then."""
        while session is self._session and self._under_way and self._under_way[0][0] <= at:
            _, frame_id, score = self._under_way.pop(0)
            session.take_score(frame_id, score)

    def _score(self, data: bytes, at: float) -> float | None:
        key = hashlib.blake2b(data, digest_size=16).digest()
        if key not in self._known:
            # Looked for without a prior, as for the descriptors.
            seen = self._vision.look(data, None, at)
            face = seen.observation.face
            crops = None if face is None else cut_crops(seen.picture, face, self._model)
            self._known[key] = None if crops is None else self._networks.score(crops)
            if len(self._known) > ROOM:
                self._known.popitem(last=False)
        return self._known[key]
