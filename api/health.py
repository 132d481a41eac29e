"""Health checks: /livez asks this process alone, /readyz every part that a frame passes through."""

from __future__ import annotations

from flask import Response
from flask_openapi import APIBlueprint, Tag

from api.readiness import OK
from api.resources import resources
from api.schemas import Live, Ready
from api.sessions import json_of

health = APIBlueprint(
    "health", __name__, abp_tags=[Tag(name="Health", description="For load balancers and operators.")]
)


@health.get("/livez", operation_id="livez", responses={200: Live})
def livez() -> Response:
    """Check whether this process answers.

    It checks nothing else: a process must not be restarted because a part that it needs is away.
    """
    return json_of(Live())


@health.get("/readyz", operation_id="readyz", responses={200: Ready, 503: Ready})
def readyz() -> Response:
    """Check whether frames can be judged.

    It writes into Redis, the database and the queue, looks for the workers, and answers 503 with a sentence for each part
    that is missing.
    """
    deps = resources()
    checks = deps.readiness.outcomes(deps)
    ready = all(outcome == OK for outcome in checks.values())
    return json_of(Ready(status="ready" if ready else "not_ready", checks=checks), 200 if ready else 503)
