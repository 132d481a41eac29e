"""The work of the operator's own model on one face: score its crops, and tell the session.

It is done by the process of the queue `identity`, after the frame has been answered: no frame waits for it.
"""

from __future__ import annotations

from typing import Any, Protocol

import structlog
from dramatiq import Actor, Broker, actor

from shared.handoff import faces
from shared.queue.messages import IDENTITY, JUDGE_CROPS
from workers.identity import MAX_AGE, Work
from workers.tools import FaceTools

log = structlog.get_logger(__name__)


class Scores(Protocol):
    """The operator's model (`workers.vision.passive.PassiveModel`)."""

    def score(self, crops: bytes) -> float:
        """How much a face looks like an attack, 0 to 1."""


class PassiveTools(FaceTools, Protocol):
    """What this work needs."""

    @property
    def passive(self) -> Scores | None:
        """The operator's model; None if there is none."""


class PassiveWork(Work):
    """The actor's function. The queue delivers at least once: a session takes in each frame's score once."""

    def __init__(self, tools: PassiveTools) -> None:
        super().__init__(tools)
        self._passive = tools

    def __call__(self, session_id: str, frame_id: str) -> None:
        """Score the crops of a frame."""
        with structlog.contextvars.bound_contextvars(session_id=session_id, frame_id=frame_id):
            crops = faces.look_crops(self._tools.redis, frame_id)
            model = self._passive.passive
            if crops is None or model is None:
                log.debug("crops.gone")  # scored already, expired, or the session has ended
                return
            try:
                session = self._look(session_id)
                if session is not None and session.awaits_score(frame_id):
                    score = model.score(crops)
                    self._apply(session_id, lambda session: session.take_score(frame_id, score))
            except Exception:
                # Without a score the finding rests on the others. The log holds the error, never the picture.
                log.exception("crops.not_scored")
            faces.drop_crops(self._tools.redis, frame_id)


def declare(broker: Broker, tools: PassiveTools) -> Actor[Any, None]:
    """Declare the actor `judge_crops` on the queue `identity`."""
    declared = actor(broker=broker, actor_name=JUDGE_CROPS, queue_name=IDENTITY, max_age=MAX_AGE)
    return declared(PassiveWork(tools))
