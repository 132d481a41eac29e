"""The seam for the check by face descriptor, which lives with the workers: whether it is one person all the way."""

from __future__ import annotations

from typing import Protocol

from shared.liveness.observation import Observation
from shared.liveness.session import FrameResult, Session


class Identity(Protocol):
    """Sees one session's pictures and may tell the session what it makes of them, as the workers' check does."""

    def saw(self, session: Session, data: bytes, observation: Observation, result: FrameResult, at: float) -> None:
        """A frame that arrived at `at` has been judged."""


class NoIdentity:
    """Compares nobody: what a service does whose identity check is turned off."""

    def saw(self, session: Session, data: bytes, observation: Observation, result: FrameResult, at: float) -> None:
        """See Identity."""
