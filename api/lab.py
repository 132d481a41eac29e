"""The page `/lab` and its data: the measures that the judges of a session see. With LAB=on only, and for servers alone.

It only reads the measures, for as long as they are stored. The findings of the judges of the evidence are served by
`api.evidence`, which records each reading.
"""

from __future__ import annotations

from flask import Blueprint, Response
from flask_openapi import APIBlueprint

from api.context import arrived_at
from api.lab_schemas import KeptPage, ObservationsView
from api.pages import page
from api.problems import responses
from api.resources import resources
from api.schemas import SessionPath
from api.sessions import TAG, find, json_of
from shared.db import UnitOfWork
from shared.liveness.insight import look_into

#: Frames in one answer at most.
MOST = 200

lab = APIBlueprint("lab", __name__, url_prefix="/api/v1/liveness/sessions", abp_tags=[TAG])
lab_page = Blueprint("lab_page", __name__)


@lab_page.get("/lab")
def show() -> Response:
    """The page that shows the signals of a session while it goes on."""
    return page("lab.html")


@lab.get(
    "/<session_id>/observations",
    operation_id="get_observations",
    responses=responses(ObservationsView, "session_not_found", "invalid_parameter", "database_unavailable"),
)
def get_observations(path: SessionPath, query: KeptPage) -> Response:
    """Get the measures that the judges see (only with LAB=on).

    The measures of the frames, the answers to them, and the view of the judge of the current challenge; available until
    shortly after the session's end. A frame may appear later than one that arrived after it: ask again from a second or two
    before your newest frame, and tell frames apart by their ids.
    """
    deps = resources()
    session = find(deps, path.session_id, arrived_at())
    at = arrived_at() if session.ended_at is None else session.ended_at
    with UnitOfWork(deps.engine, read_only=True) as uow:
        uow.sessions.load_frames(session, at)
        kept = uow.sessions.kept(session.id, query.after, MOST)
    return json_of(ObservationsView.of(session, arrived_at(), look_into(session, at), kept))
