"""Portraits: the best frame of a live person, for the creator of a session with portrait=true; handed out once.

Handing out takes two steps, so that a broken connection does not lose the picture: for half a minute it can be fetched
again, or deleted.
"""

from __future__ import annotations

from typing import Any

from flask import Response, request
from flask_openapi import APIBlueprint

from api import audit
from api.context import arrived_at
from api.problems import ProblemError, responses
from api.resources import resources
from api.schemas import PortraitDeleted, SessionPath, SessionView
from api.sessions import TAG, find, json_of
from shared.db.trail import Action
from shared.handoff import portraits as store
from shared.liveness.session import Session

#: Guarded by `api.access`; each fetch is recorded in the audit trail.
portraits = APIBlueprint("portraits", __name__, url_prefix="/api/v1/liveness/sessions", abp_tags=[TAG])

_PICTURE: dict[str, Any] = {
    "description": "The picture, upright and not mirrored.",
    "content": {"image/jpeg": {"schema": {"type": "string", "contentMediaType": "image/jpeg"}}},
}


@portraits.get(
    "/<session_id>/portrait",
    operation_id="get_portrait",
    responses=responses(
        SessionView, "session_not_found", "portrait_not_found", "redis_unavailable", "database_unavailable"
    )
    | {200: _PICTURE},
)
def get_portrait(path: SessionPath) -> Response:
    """Fetch a session's portrait.

    The best frontal frame, for your own comparison of faces: its face was compared with the session's. It can be fetched for
    five minutes after a session with portrait=true has ended with a live person. It is kept in memory only, and deleted 30
    seconds after it was first fetched, within which it can be fetched again should the connection have broken; DELETE
    deletes it at once. HEAD does not count as fetching.
    """
    session = _find(path)
    if request.method == "HEAD":
        picture = store.look(resources().redis, session.id)
    else:
        audit.write(Action.PORTRAIT_FETCHED, session.id)  # first: from here on the picture is being given out
        picture = store.hand_out(resources().redis, session.id)
    if picture is None:
        raise ProblemError("portrait_not_found")
    return Response(picture, content_type="image/jpeg")


@portraits.delete(
    "/<session_id>/portrait",
    operation_id="delete_portrait",
    responses=responses(
        PortraitDeleted, "session_not_found", "portrait_not_found", "redis_unavailable", "database_unavailable"
    ),
)
def delete_portrait(path: SessionPath) -> Response:
    """Delete a session's portrait, once you have it.

    It would be deleted by itself 30 seconds after it was first fetched.
    """
    session = _find(path)
    if not store.drop(resources().redis, session.id):
        raise ProblemError("portrait_not_found")
    return json_of(PortraitDeleted(deleted=session.id))


def _find(path: SessionPath) -> Session:
    """The session, which has ended with a live person and was created with portrait=true."""
    session = find(resources(), path.session_id, arrived_at())
    if not (session.is_live and session.options.portrait):
        raise ProblemError("portrait_not_found")
    return session
