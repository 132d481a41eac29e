"""The evidence of a session: for the relying party's server alone, never for the person's client."""

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

#: Guarded by `api.access`; each reading is recorded in the audit trail.
evidence = APIBlueprint("evidence", __name__, url_prefix="/api/v1/liveness/sessions", abp_tags=[TAG])


@evidence.get(
    "/<session_id>/evidence",
    operation_id="get_evidence",
    responses=responses(EvidenceView, "session_not_found", "database_unavailable"),
)
def get_evidence(path: SessionPath) -> Response:
    """Get a session's evidence.

    The findings of the judges, and their weights under the session's preset. It is for your server: do not pass it on to
    the person.
    """
    session = find(resources(), path.session_id, arrived_at())
    audit.write(Action.EVIDENCE_READ, session.id)
    return json_of(EvidenceView.of(session, arrived_at(), resources().settings.weighing))
