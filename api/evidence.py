"""What a session's verdict rests on: for the relying party's server alone, never in what the person's client sees."""

from __future__ import annotations

from flask import Response
from flask_openapi import APIBlueprint

from api.context import arrived_at
from api.problems import responses
from api.resources import resources
from api.schemas import EvidenceView, SessionPath
from api.sessions import TAG, find, json_of

#: A blueprint of its own, so that access to it can be guarded in one place, by its `before_request`. Nothing does yet: it
#: is as open as all other addresses.
evidence = APIBlueprint("evidence", __name__, url_prefix="/api/v1/liveness/sessions", abp_tags=[TAG])


@evidence.get(
    "/<session_id>/evidence",
    operation_id="get_evidence",
    responses=responses(EvidenceView, "session_not_found", "database_unavailable"),
)
def get_evidence(path: SessionPath) -> Response:
    """Look at a session's evidence.

    What the judges found, and how it weighs under the session's preset. For your server: do not pass it on to the person.
    """
    session = find(resources().engine, path.session_id, arrived_at())
    return json_of(EvidenceView.of(session, arrived_at()))
