"""The work on one sample: whose face it is, and how far from the first one's of its session.

It is done beside the way of a frame, which does not wait for it. The descriptor that is made first is what the others are
compared with (the anchor); it lives in Redis for as long as its session can, and nowhere else.
"""

from __future__ import annotations

import time
from typing import Any, Protocol

import structlog
from dramatiq import Actor, Broker, actor
from redis import Redis
from sqlalchemy import Engine

from shared import faces
from shared.db import UnitOfWork
from shared.messages import COMPARE_IDENTITY, IDENTITY
from workers.vision.descriptor import Descriptor, decode_chip, distance, from_bytes, to_bytes
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


class IdentityWork:
    """Compares faces, one at a time.

    The queue delivers at least once, in any order: the first descriptor stays the first, and a session takes in a frame's
    distance once.
    """

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def __call__(self, session_id: str, frame_id: str, expires_at: float) -> None:
        """Compare one face; its session expires at `expires_at`, in seconds since the epoch."""
        with structlog.contextvars.bound_contextvars(session_id=session_id, frame_id=frame_id):
            chip = faces.look(self._tools.redis, frame_id)
            if chip is None:
                log.debug("face.gone")  # compared already, or too late
                return
            try:
                if self._goes_on(session_id):
                    self._compare(session_id, frame_id, chip, expires_at)
                else:
                    faces.forget(self._tools.redis, session_id)
            except Exception:
                # The session takes another sample after a while. What is logged is the fault, never the face.
                log.exception("face.not_compared")
            faces.drop(self._tools.redis, frame_id)

    def _compare(self, session_id: str, frame_id: str, chip: bytes, expires_at: float) -> None:
        own = self._tools.describer.describe(decode_chip(chip))
        kept = faces.anchor(self._tools.redis, session_id, to_bytes(own), expires_at - time.time())
        if not self._tell(session_id, frame_id, distance(from_bytes(kept), own)):
            faces.forget(self._tools.redis, session_id)

    def _goes_on(self, session_id: str) -> bool:
        """Whether it is worth the network's time: a queue that is behind must not work for those who have left."""
        with UnitOfWork(self._tools.engine, read_only=True) as uow:
            session = uow.sessions.get(session_id)
        return session is not None and not session.ended

    def _tell(self, session_id: str, frame_id: str, far: float) -> bool:
        """Tell the session; whether it goes on."""
        with UnitOfWork(self._tools.engine) as uow:
            session = uow.sessions.get(session_id, lock=True)
            if session is None:
                return False
            session.identify(frame_id, far, time.time())
            uow.sessions.save(session)
            uow.commit()
        return not session.ended


def declare(broker: Broker, tools: Tools) -> Actor[Any, None]:
    """Make the comparison of faces known to the broker, as the actor `compare_identity` on the queue `identity`."""
    declared = actor(broker=broker, actor_name=COMPARE_IDENTITY, queue_name=IDENTITY, max_age=MAX_AGE)
    return declared(IdentityWork(tools))
