"""A session's end, as the unit of work reports it once it is committed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from shared.liveness.identity import Identity
from shared.liveness.session import Session


@dataclass(frozen=True, slots=True)
class Ending:
    """A session that a committed unit of work ended or deleted: what the clean-up outside the database has to know."""

    session_id: str
    #: Seconds since the epoch at which whatever Redis keeps for the session's time is gone anyway.
    expires_at: float
    #: Seconds since the epoch of the end of a live session that is to have a portrait; None: no portrait may be kept.
    portrait_from: float | None = None
    #: Ids of the frames whose faces were cut out to be compared.
    sampled: tuple[str, ...] = ()

    @classmethod
    def of(cls, session: Session) -> Ending:
        """The ending of a session that has ended and keeps its row."""
        portrait_from = session.ended_at if session.is_live and session.options.portrait else None
        return cls(session.id, session.expires_at, portrait_from, sampled(session.identity))


#: What follows an end outside the database: `shared.handoff.endings.Endings`. Called once, after the commit; raises nothing.
OnEnd = Callable[[Sequence[Ending]], Any]


def sampled(identity: Identity | None) -> tuple[str, ...]:
    """Ids of the frames whose faces were cut out to be compared."""
    return () if identity is None else tuple(sample.frame_id for sample in identity.samples)
