"""Counts what happens to sessions, from their events, in whichever process commits them."""

from __future__ import annotations

from collections.abc import Iterable

from shared.liveness.session import Event
from shared.telemetry.metrics.table import CHALLENGES_PASSED, SESSION_SCORE, SESSIONS_CREATED, SESSIONS_ENDED

#: Types of the events that end a session.
_ENDS = frozenset({"session.completed", "session.failed", "session.expired", "session.cancelled"})


def count(events: Iterable[Event]) -> None:
    """Count events that have been committed."""
    for event in events:
        if event.type == "session.created":
            SESSIONS_CREATED.inc()
        elif event.type == "session.challenge_passed":
            CHALLENGES_PASSED.labels(event.data["challenge"]).inc()
        elif event.type in _ENDS:
            is_live = event.data.get("is_live")
            live = "none" if is_live is None else str(is_live).lower()
            if (score := event.data.get("score")) is not None:
                SESSION_SCORE.labels(live).observe(score)
            SESSIONS_ENDED.labels(event.type.removeprefix("session."), str(event.data.get("reason") or ""), live).inc()
