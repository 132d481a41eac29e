"""What a session's verdict rests on: for the relying party's server alone, never in what the person's client sees."""

from __future__ import annotations

from flask import Response
from flask_openapi import APIBlueprint

from api import audit
from api.context import arrived_at
from api.problems import responses
from api.resources import resources
from api.schemas import EvidenceView, SessionPath
from api.sessions import TAG, find, json_of
from shared.db.trail import Action

#: `api.access` guards it; each reading is in the audit trail.
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
    session = find(resources(), path.session_id, arrived_at())
    audit.write(Action.EVIDENCE_READ, session.id)
    return json_of(EvidenceView.of(session, arrived_at(), resources().settings.weighing))
