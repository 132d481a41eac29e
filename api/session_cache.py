"""Sessions that were alive a moment ago: their frames need no look into the database.

The worker decides in any case: a frame of a session that has ended or was cancelled meanwhile is answered accordingly.
"""

from __future__ import annotations

from itertools import islice
from threading import Lock

from shared.liveness.session import Session

#: Seconds for which a session that was looked up counts as alive, unless it is due earlier.
TRUST = 2.0
#: Sessions that are remembered at most; the oldest are forgotten first.
MOST = 5000


class SessionCache:
    """The remembered sessions of one process, shared by its threads."""

    def __init__(self) -> None:
        #: Each session as it was looked up, and the time until which it counts as alive; the oldest stand first.
        self._seen: dict[str, tuple[Session, float]] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        """The number of remembered sessions, including those that no longer count as alive and are not dropped yet."""
        return len(self._seen)

    def known(self, session_id: str, at: float) -> Session | None:
        """The session as it was looked up, if it counts as alive at `at`; else None."""
        session, until = self._seen.get(session_id, (None, 0.0))
        return session if at < until else None

    def seen(self, session: Session, at: float) -> None:
        """Remember a session that was looked up at `at`, unless it has ended."""
        if session.due is None:
            return
        with self._lock:
            self._seen.pop(session.id, None)  # to stand at the end
            self._seen[session.id] = (session, min(at + TRUST, session.due))
            # Two are looked at for each one that is added: no request pays for dropping many.
            for session_id, (_, until) in list(islice(self._seen.items(), 2)):
                if until <= at or len(self._seen) > MOST:
                    del self._seen[session_id]

    def forget(self, session_id: str) -> None:
        """Forget a session that this process has ended."""
        with self._lock:
            self._seen.pop(session_id, None)
