"""Endings: the ends of sessions, as a unit of work reports them after its commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from shared.liveness.identity import Identity
from shared.liveness.session import Session


@dataclass(frozen=True, slots=True)
class Ending:
    """A session that a committed unit of work has ended or deleted, with what its clean-up has to know."""

    session_id: str
    #: When the session expires or would have expired, in seconds since the epoch; what Redis keeps of it expires with it.
    expires_at: float
    #: When the session ended, if its portrait stays available from then on; None if no portrait may be kept.
    portrait_from: float | None = None
    #: Ids of the frames whose faces were cut out to be compared.
    sampled: tuple[str, ...] = ()

    @classmethod
    def of(cls, session: Session) -> Ending:
        """The ending of an ended session that keeps its row."""
        portrait_from = session.ended_at if session.is_live and session.options.portrait else None
        return cls(session.id, session.expires_at, portrait_from, sampled(session.identity))


#: The clean-up after ended sessions, such as `shared.handoff.clean_up.Endings`: called after the commit, raises nothing.
OnEnd = Callable[[Sequence[Ending]], Any]


def sampled(identity: Identity | None) -> tuple[str, ...]:
    """Ids of the frames whose faces were cut out to be compared."""
    return () if identity is None else tuple(sample.frame_id for sample in identity.samples)
