"""The work on one face: describe it, and measure its distance from the session's first face and from a given picture.

Frames do not wait for this work. The first descriptor of a session is its anchor, with which all others are compared; it is
kept in Redis until the session ends, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from dramatiq import Actor, Broker, actor

from shared.db import UnitOfWork
from shared.handoff import faces, portraits, references
from shared.handoff.clean_up import Endings
from shared.liveness.identity import NOT_COMPARED, Identity
from shared.liveness.session import Session
from shared.queue.messages import COMPARE_IDENTITY, DESCRIBE_REFERENCE, IDENTITY, REFERENCES
from shared.redis.timekeeping import now
from workers.tools import FaceTools
from workers.vision.descriptor import Descriptor, decode_chip, distance, from_bytes, to_bytes
from workers.vision.errors import BadImage

log = structlog.get_logger(__name__)

#: Milliseconds after which a comparison is of no use any more; chips are kept for longer.
MAX_AGE = 15_000
#: dramatiq's priority of references; comparisons have 0, which goes first.
REFERENCES_LAST = 10


class Work:
    """The base of both kinds of work on faces."""

    def __init__(self, tools: FaceTools) -> None:
        self._tools = tools

    def _look(self, session_id: str) -> Session | None:
        """The session, read without a lock: faces of sessions that have ended are not described."""
        with UnitOfWork(self._tools.engine, read_only=True) as uow:
            return uow.sessions.get(session_id)

    def _apply(self, session_id: str, change: Callable[[Session], None]) -> None:
        """Change the session under its lock, if it still exists."""
        with UnitOfWork(self._tools.engine, on_end=Endings(self._tools.redis)) as uow:
            session = uow.sessions.get(session_id, lock=True)
            if session is None:
                return
            change(session)
            uow.sessions.save(session)
            uow.commit()


class IdentityWork(Work):
    """The actor's function that compares one face.

    The queue delivers at least once, in any order: the anchor is set once, and a session takes in each frame's distance
    once.
    """

    def __call__(self, session_id: str, frame_id: str, expires_at: float) -> None:
        """Compare the face of a frame; the session expires at `expires_at`, in seconds since the epoch."""
        with structlog.contextvars.bound_contextvars(session_id=session_id, frame_id=frame_id):
            chip = faces.look(self._tools.redis, frame_id)
            if chip is None:
                log.debug("face.gone")  # compared already, expired, or its session has ended
                return
            try:
                session = self._look(session_id)
                if session is not None and not session.ended and session.identity is not None:
                    self._compare(session.identity, session_id, frame_id, chip, expires_at)
            except Exception:
                # The session asks for another frame's face after a while. The log holds the error, never the face.
                log.exception("face.not_compared")
            faces.drop(self._tools.redis, frame_id)

    def _compare(self, identity: Identity, session_id: str, frame_id: str, chip: bytes, expires_at: float) -> None:
        redis = self._tools.redis
        known = faces.look_anchor(redis, session_id)

        def enough(alone: Descriptor) -> bool:
            # The anchor itself, and what is compared with a picture of another day, are described as exactly as possible.
            first = None if known is None or identity.reference is not None else from_bytes(known)
            return first is not None and identity.is_clearly_same(distance(first, alone))

        own = self._tools.describer.describe(decode_chip(chip), enough)
        anchor = known or faces.anchor(redis, session_id, to_bytes(own), expires_at - now())
        # Before the distance is committed: the session's last pass waits for that, and so for its portrait.
        self._consider_portrait(identity, session_id, frame_id, (from_bytes(anchor), own), expires_at)
        reference = faces.look_reference(redis, session_id)

        def tell(session: Session) -> None:
            session.take_distance(frame_id, distance(from_bytes(anchor), own), now())
            if reference is not None and session.identity is not None:
                session.identity.take_reference_distance(distance(from_bytes(reference), own))

        self._apply(session_id, tell)

    def _consider_portrait(
        self,
        identity: Identity,
        session_id: str,
        frame_id: str,
        descriptors: tuple[Descriptor, Descriptor],
        expires_at: float,
    ) -> None:
        """Keep the picture offered with the frame, if the frame's face and the only one in the picture are the session's.

        descriptors: of the session's first face and of the frame's face. The picture itself is searched again: the face that
        was followed from frame to frame need not be the largest one in it.
        """
        redis = self._tools.redis
        jpeg, score = portraits.take_offer(redis, frame_id), identity.portrait_of(frame_id)
        if jpeg is None or score is None or distance(*descriptors) >= identity.limit:
            return
        best = portraits.best(redis, session_id)
        if best is not None and best <= score:
            return
        try:
            seen = self._tools.face_vision.look(jpeg, None, now())
            chip = seen.chip()
            if chip is None or seen.observation.faces != 1:
                return
            shown = self._tools.describer.describe(decode_chip(chip))
            if distance(descriptors[0], shown) < identity.limit:
                portraits.keep(redis, session_id, score, jpeg, expires_at - now())
        except Exception:
            log.exception("portrait.not_compared")  # the comparison goes on


class ReferenceWork(Work):
    """The actor's function that describes the picture given at creation, and compares it with the anchor if there is one."""

    def __call__(self, session_id: str, expires_at: float) -> None:
        """Describe a session's picture; the session expires at `expires_at`, in seconds since the epoch."""
        with structlog.contextvars.bound_contextvars(session_id=session_id):
            picture = faces.take_picture(self._tools.redis, session_id)
            references.leave(self._tools.redis, session_id)
            if picture is None:
                log.debug("reference.gone")
                return
            problem: str | None = NOT_COMPARED  # also if the time limit interrupts, which raises no Exception
            try:
                self._describe(session_id, picture, expires_at)
                problem = None
            except BadImage as error:
                problem = error.code
            except Exception:
                log.exception("reference.not_described")
            finally:
                if problem is not None:
                    self._apply(session_id, _problem(problem))

    def _describe(self, session_id: str, picture: bytes, expires_at: float) -> None:
        redis = self._tools.redis
        session = self._look(session_id)
        if session is None or session.ended:
            return
        seen = self._tools.face_vision.look(picture, None, now())
        chip = seen.chip()
        if chip is None or seen.observation.faces != 1:
            self._apply(session_id, _problem("no_face" if chip is None else "several_faces"))
            return
        # Mirrored or not does not matter: a face and its mirror image have nearly the same descriptor.
        own = self._tools.describer.describe(decode_chip(chip))
        # Kept before the anchor is read: of the reference and the anchor, the later one finds the earlier.
        faces.keep_reference(redis, session_id, to_bytes(own), expires_at - now())
        anchor = faces.look_anchor(redis, session_id)

        def tell(session: Session) -> None:
            if anchor is not None and session.identity is not None:
                session.identity.take_reference_distance(distance(from_bytes(anchor), own))

        self._apply(session_id, tell)


def _problem(code: str) -> Callable[[Session], None]:
    def tell(session: Session) -> None:
        if session.identity is not None and session.identity.reference is not None:
            session.identity.reference.problem = code

    return tell


def declare(broker: Broker, tools: FaceTools) -> tuple[Actor[Any, None], Actor[Any, None]]:
    """Declare the actors `compare_identity` and `describe_reference`, each on its queue.

    A process works on no reference while a comparison waits (dramatiq's `priority`), so a comparison waits for one reference
    at most, whose cost is bounded.
    """
    compares = actor(broker=broker, actor_name=COMPARE_IDENTITY, queue_name=IDENTITY, max_age=MAX_AGE)
    describes = actor(
        broker=broker, actor_name=DESCRIBE_REFERENCE, queue_name=REFERENCES, max_age=MAX_AGE, priority=REFERENCES_LAST
    )
    return compares(IdentityWork(tools)), describes(ReferenceWork(tools))
