"""The comparison of faces in an offline session, and its absence."""

from __future__ import annotations

from typing import Protocol

from shared.liveness.observation import Observation
from shared.liveness.session import FrameResult, Session

#: Seconds, by the recording's clock, from a frame to the comparison of its face by a worker that is not busy.
DELAY = 0.15


class Identity(Protocol):
    """Compares the faces of one session's pictures, and tells the session (`workers.offline.OfflineIdentity`)."""

    def saw(self, session: Session, data: bytes, observation: Observation, result: FrameResult, at: float, /) -> None:
        """Take a frame that arrived at `at` and has been judged."""

    def wait(self, session: Session, at: float, /) -> None:
        """Let time pass up to `at` without a frame; comparisons under way come in."""


class NoIdentity:
    """Compares no faces, as a service with IDENTITY=off."""

    def saw(self, session: Session, data: bytes, observation: Observation, result: FrameResult, at: float, /) -> None:
        """See Identity."""

    def wait(self, session: Session, at: float, /) -> None:
        """See Identity."""


class Both:
    """Two that look at the faces of one session."""

    def __init__(self, *each: Identity) -> None:
        self._each = each

    def saw(self, session: Session, data: bytes, observation: Observation, result: FrameResult, at: float, /) -> None:
        """See Identity."""
        for one in self._each:
            one.saw(session, data, observation, result, at)

    def wait(self, session: Session, at: float, /) -> None:
        """See Identity."""
        for one in self._each:
            one.wait(session, at)
