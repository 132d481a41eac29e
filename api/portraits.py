"""Portraits: the best frame of a live person, for the creator of a session with portrait=true; given once."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_openapi import APIBlueprint

from api import audit
from api.context import arrived_at
from api.problems import ProblemError, responses
from api.resources import resources
from api.schemas import SessionPath, SessionView
from api.sessions import TAG, find
from shared.db.trail import Action
from shared.handoff import portraits as store

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
    """Fetch a session's portrait, once.

    The best frontal frame, for your own comparison of faces. It can be fetched for five minutes after a session with
    portrait=true has ended with a live person. It is kept in memory only, and deleted when it is fetched.
    """
    session = find(resources(), path.session_id, arrived_at())
    if not (session.is_live and session.options.portrait):
        raise ProblemError("portrait_not_found")
    audit.write(Action.PORTRAIT_FETCHED, session.id)  # first: the picture is deleted when it is taken
    picture = store.take(resources().redis, session.id)
    if picture is None:
        raise ProblemError("portrait_not_found")
    return Response(picture, content_type="image/jpeg")
