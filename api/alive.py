"""Sessions that lived a moment ago, so that not each of their frames asks the database whether they still do.

The worker decides it in any case: for a frame of a session that was ended or cancelled meanwhile it says so.
"""

from __future__ import annotations

from shared.liveness.session import Session

#: Seconds for which a session is taken to live, unless it is due before that.
TRUST = 2.0
#: Sessions that are remembered; those that were seen first are forgotten first.
MOST = 5000


class Alive:
    """Those of one process; for all of its threads."""

    def __init__(self) -> None:
        #: By id, as it was then, and until when that holds.
        self._seen: dict[str, tuple[Session, float]] = {}

    def known(self, session_id: str, at: float) -> Session | None:
        """The session as it was a moment ago, where it may be taken to live at `at`."""
        session, until = self._seen.get(session_id, (None, 0.0))
        return session if at < until else None

    def seen(self, session: Session, at: float) -> None:
        """It was looked up; remembered where it lives."""
        if session.due is None:
            return
        if len(self._seen) >= MOST:
            for session_id in list(self._seen)[: MOST // 2]:  # list(): other threads go on writing
                self._seen.pop(session_id, None)
        self._seen.pop(session.id, None)  # to stand at the end
        self._seen[session.id] = (session, min(at + TRUST, session.due))

    def forget(self, session_id: str) -> None:
        """It was ended here."""
        self._seen.pop(session_id, None)
