"""Sessions that lived a moment ago, so that not each of their frames asks the database whether they still do.

The worker decides it in any case: for a frame of a session that was ended or cancelled meanwhile it says so.
"""

from __future__ import annotations

from itertools import islice
from threading import Lock

from shared.liveness.session import Session

#: Seconds for which a session is taken to live, unless it is due before that.
TRUST = 2.0
#: Sessions that are remembered at most; those that were seen first are forgotten first.
MOST = 5000


class Alive:
    """Those of one process; for all of its threads."""

    def __init__(self) -> None:
        #: By id, as it was then, and until when that holds; who was seen longest ago stands first.
        self._seen: dict[str, tuple[Session, float]] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        """How many are remembered, those whose moment is over but that nobody has dropped yet among them."""
        return len(self._seen)

    def known(self, session_id: str, at: float) -> Session | None:
        """The session as it was a moment ago, where it may be taken to live at `at`."""
        session, until = self._seen.get(session_id, (None, 0.0))
        return session if at < until else None

    def seen(self, session: Session, at: float) -> None:
        """It was looked up; remembered where it lives."""
        if session.due is None:
            return
        with self._lock:
            self._seen.pop(session.id, None)  # to stand at the end
            self._seen[session.id] = (session, min(at + TRUST, session.due))
            # Two for each that comes: so many as live are remembered, and no request pays for the others' dropping.
            for session_id, (_, until) in list(islice(self._seen.items(), 2)):
                if until <= at or len(self._seen) > MOST:
                    del self._seen[session_id]

    def forget(self, session_id: str) -> None:
        """It was ended here."""
        with self._lock:
            self._seen.pop(session_id, None)
