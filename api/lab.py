"""Behind the page `/lab`: what the judges of a session see, while it goes on. Only where LAB is on; for servers alone.

It decides nothing and keeps nothing: it reads the measures that the judges read, for as long as they are kept. What the
judges of the evidence found is not in it, but in `api.evidence`, where each reading is noted.
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
    """Signals of a session, live, for developers."""
    return page("lab.html")


@lab.get(
    "/<session_id>/observations",
    operation_id="get_observations",
    responses=responses(ObservationsView, "session_not_found", "invalid_parameter", "database_unavailable"),
)
def get_observations(path: SessionPath, query: KeptPage) -> Response:
    """Look at what the judges see (only with LAB=on).

    The measures of the frames, the answers to them, and what the judge of the current challenge makes of them; until shortly
    after the session's end. Frames are judged as they are measured: one may appear a little later than one that arrived
    after it, so ask from a second or two before the newest that you have, and know frames by their ids.
    """
    deps = resources()
    session = find(deps, path.session_id, arrived_at())
    at = arrived_at() if session.ended_at is None else session.ended_at
    with UnitOfWork(deps.engine, read_only=True) as uow:
        uow.sessions.load_frames(session, at)
        kept = uow.sessions.kept(session.id, query.after, MOST)
    return json_of(ObservationsView.of(session, arrived_at(), look_into(session, at), kept))
