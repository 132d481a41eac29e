"""The end of sessions without a frame or a request: a client that has gone away, a challenge that timed out, an expiry."""

from __future__ import annotations

import structlog
from sqlalchemy import Engine

from shared.db import OnEnd, UnitOfWork
from shared.liveness.evidence import FITTED, Weighing

log = structlog.get_logger(__name__)

#: Most sessions, or rows of another chore, that are worked on at a time.
BATCH = 100


class OverdueSessions:
    """Ends the sessions whose time is over: they fail, expire or conclude, as the domain decides."""

    def __init__(self, engine: Engine, on_end: OnEnd, weighing: Weighing = FITTED) -> None:
        """on_end: the clean-up after a session's end. weighing: the weights and thresholds of verdicts."""
        self._engine = engine
        self._on_end = on_end
        self._weighing = weighing

    def end(self, now: float) -> bool:
        """End the sessions that are overdue at `now`, one batch of them; returns whether there may be more."""
        with UnitOfWork(self._engine, read_only=True) as uow:
            overdue = uow.sessions.overdue(now, BATCH)
        ended = sum(self._end(session_id, now) for session_id in overdue)
        return ended == BATCH

    def _end(self, session_id: str, now: float) -> bool:
        """Let time pass for one session, in a unit of work of its own, so that frames of other sessions need not wait."""
        try:
            with UnitOfWork(self._engine, on_end=self._on_end) as uow:
                session = uow.sessions.get(session_id, lock=True)
                if session is not None:
                    session.tick(now, self._weighing)
                    uow.sessions.save(session)
                    uow.commit()
        except Exception:
            log.exception("session.not_ended", session_id=session_id)  # one bad row must not stop the others
            return False
        return True
