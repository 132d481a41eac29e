"""The work on one face: whose it is, and how far from the first one's of its session, or from a picture's.

It is done beside the way of a frame, which does not wait for it. The descriptor that is made first is what the others are
compared with (the anchor); it lives in Redis for as long as its session can, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import structlog
from dramatiq import Actor, Broker, actor
from redis import Redis
from sqlalchemy import Engine

from shared.db import UnitOfWork
from shared.handoff import faces
from shared.liveness.session import Session
from shared.queue.messages import COMPARE_IDENTITY, DESCRIBE_REFERENCE, IDENTITY
from shared.redis.timekeeping import now
from workers.frames import Looks
from workers.vision.descriptor import Descriptor, decode_chip, distance, from_bytes, to_bytes
from workers.vision.errors import BadImage
from workers.vision.landmarks import Picture

log = structlog.get_logger(__name__)

#: Milliseconds after which a comparison is of no use any more; a chip lives longer than that.
MAX_AGE = 15_000


class Describes(Protocol):
    """What is needed of the network (`workers.vision.descriptor.Describer`)."""

    def describe(self, chip: Picture) -> Descriptor:
        """Whose face a chip shows."""


class Tools(Protocol):
    """What the work needs, there from the moment the process has booted (`workers.resources.Resources`)."""

    @property
    def redis(self) -> Redis:
        """Chips and anchors."""

    @property
    def engine(self) -> Engine:
        """Sessions."""

    @property
    def describer(self) -> Describes:
        """The network."""

    @property
    def vision(self) -> Looks:
        """Eyes, loaded when they are first needed here: chips come with their points found."""


class Work:
    """What the two kinds of work on faces have in common."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def _look(self, session_id: str) -> Session | None:
        """The session as it is: a queue that is behind must not have the network work for those who have left."""
        with UnitOfWork(self._tools.engine, read_only=True) as uow:
            return uow.sessions.get(session_id)

    def _apply(self, session_id: str, said: Callable[[Session], None]) -> bool:
        """Tell the session; whether it goes on."""
        with UnitOfWork(self._tools.engine) as uow:
            session = uow.sessions.get(session_id, lock=True)
            if session is None:
                return False
            said(session)
            uow.sessions.save(session)
            uow.commit()
        return not session.ended


class IdentityWork(Work):
    """Compares faces, one at a time.

    The queue delivers at least once, in any order: the first descriptor stays the first, and a session takes in a frame's
    distance once.
    """

    def __call__(self, session_id: str, frame_id: str, expires_at: float) -> None:
        """Compare one face; its session expires at `expires_at`, in seconds since the epoch."""
        with structlog.contextvars.bound_contextvars(session_id=session_id, frame_id=frame_id):
            chip = faces.look(self._tools.redis, frame_id)
            if chip is None:
                log.debug("face.gone")  # compared already, or too late
                return
            try:
                session = self._look(session_id)
                if session is None or session.ended:
                    faces.forget(self._tools.redis, session_id)
                else:
                    self._compare(session_id, frame_id, chip, expires_at)
            except Exception:
                # The session takes another sample after a while. What is logged is the fault, never the face.
                log.exception("face.not_compared")
            faces.drop(self._tools.redis, frame_id)

    def _compare(self, session_id: str, frame_id: str, chip: bytes, expires_at: float) -> None:
        redis = self._tools.redis
        own = self._tools.describer.describe(decode_chip(chip))
        kept = faces.anchor(redis, session_id, to_bytes(own), expires_at - now())
        reference = faces.look_reference(redis, session_id)

        def say(session: Session) -> None:
            session.take_distance(frame_id, distance(from_bytes(kept), own), now())
            if reference is not None and session.identity is not None:
                session.identity.take_reference_distance(distance(from_bytes(reference), own))

        if not self._apply(session_id, say):
            faces.forget(redis, session_id)


class ReferenceWork(Work):
    """Describes the picture that was given at creation, and compares it with the session's first face if there is one."""

    def __call__(self, session_id: str, expires_at: float) -> None:
        """Describe one; its session expires at `expires_at`, in seconds since the epoch."""
        with structlog.contextvars.bound_contextvars(session_id=session_id):
            picture = faces.take_picture(self._tools.redis, session_id)
            if picture is None:
                log.debug("reference.gone")
                return
            try:
                self._describe(session_id, picture, expires_at)
            except BadImage as error:
                self._apply(session_id, _problem(error.code))
            except Exception:
                log.exception("reference.not_described")

    def _describe(self, session_id: str, picture: bytes, expires_at: float) -> None:
        redis = self._tools.redis
        session = self._look(session_id)
        if session is None or session.ended:
            return
        seen = self._tools.vision.look(picture, None, now())
        chip = seen.chip()
        if chip is None or seen.observation.faces != 1:
            self._apply(session_id, _problem("no_face" if chip is None else "several_faces"))
            return
        # Whether the client's frames are mirrored or not: a face and its mirror image are described alike.
        own = self._tools.describer.describe(decode_chip(chip))
        # Kept before the anchor is looked for: whichever of the two comes second finds the other.
        faces.keep_reference(redis, session_id, to_bytes(own), expires_at - now())
        anchor = faces.look_anchor(redis, session_id)

        def say(session: Session) -> None:
            if anchor is not None and session.identity is not None:
                session.identity.take_reference_distance(distance(from_bytes(anchor), own))

        if not self._apply(session_id, say):
            faces.forget(redis, session_id)


def _problem(code: str) -> Callable[[Session], None]:
    def say(session: Session) -> None:
        if session.identity is not None and session.identity.reference is not None:
            session.identity.reference.problem = code

    return say


def declare(broker: Broker, tools: Tools) -> tuple[Actor[Any, None], Actor[Any, None]]:
    """Make the work on faces known to the broker: `compare_identity`, `describe_reference` on the queue `identity`."""
    declared = actor(broker=broker, actor_name=COMPARE_IDENTITY, queue_name=IDENTITY, max_age=MAX_AGE)
    also = actor(broker=broker, actor_name=DESCRIBE_REFERENCE, queue_name=IDENTITY, max_age=MAX_AGE)
    return declared(IdentityWork(tools)), also(ReferenceWork(tools))
