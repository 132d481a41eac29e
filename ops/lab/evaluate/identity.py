"""Whether it is one person all the way: the seam for the workers' comparison of faces."""

from __future__ import annotations

from typing import Protocol

from shared.liveness.observation import Observation
from shared.liveness.session import FrameResult, Session

#: Seconds, by the recordings' clock, from a frame to the comparison of its face: what a worker takes that is not busy.
DELAY = 0.15


class Identity(Protocol):
    """Sees one session's pictures and tells the session what it makes of them (`workers.offline.OfflineIdentity`)."""

    def saw(self, session: Session, data: bytes, observation: Observation, result: FrameResult, at: float, /) -> None:
        """A frame that arrived at `at` has been judged."""

    def wait(self, session: Session, at: float, /) -> None:
        """No frame has come up to `at`; comparisons that are under way come in without one."""


class NoIdentity:
    """Compares nobody: what a service does whose identity check is turned off."""

    def saw(self, session: Session, data: bytes, observation: Observation, result: FrameResult, at: float, /) -> None:
        """See Identity."""

    def wait(self, session: Session, at: float, /) -> None:
        """See Identity."""
