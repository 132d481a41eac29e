"""A request's entries in the audit trail: who did what to what. An action that cannot be recorded is not done."""

from __future__ import annotations

from api import addresses
from api.access import ANYONE, caller
from api.context import arrived_at, request_id
from api.resources import resources
from shared.db import UnitOfWork
from shared.db.trail import Action, Entry


def entry(action: Action, session_id: str = "", target: str | None = None) -> Entry:
    """The entry for this request, to be added in the unit of work that does the action.

    session_id: empty for an act on no session. target: id of the webhook, key or verdict that the act is on.
    """
    return Entry(
        at=arrived_at(),
        action=action,
        session_id=session_id,
        who="anyone" if caller() is ANYONE else caller().who.value,
        key_id=caller().key_id,
        network=addresses.network(addresses.COARSE),
        request_id=request_id(),
        target=target,
    )


def write(action: Action, session_id: str, target: str | None = None) -> None:
    """Write an entry in a unit of its own, before an answer gives something out."""
    with UnitOfWork(resources().engine) as uow:
        uow.trail.add(entry(action, session_id, target))
        uow.commit()
