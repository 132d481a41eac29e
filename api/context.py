"""The context of a request: its id in answers and logs, the time of its arrival, and the log line at its end."""

from __future__ import annotations

import re
import time
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request

from api.resources import resources

HEADER = "X-Request-ID"

#: Problems that come in bursts: logged at debug level.
_IN_BURSTS = ("overloaded", "too_many_frames")

#: The problem of requests that are too many to be logged (`api.refusals`).
BEYOND = "too_many_refusals"

FIT_ID = re.compile(r"[A-Za-z0-9._-]{8,128}")
_FIT_SESSION = re.compile(r"[0-9a-f-]{36}")

log = structlog.get_logger(__name__)


def install(app: Flask) -> None:
    """Give the app's requests an id and an arrival, and log each one."""
    app.before_request(_begin)
    app.after_request(_end)


def request_id() -> str:
    """The id of this request."""
    return str(g.request_id)


def arrived_at() -> float:
    """When all of this request had arrived, in seconds since the epoch; it may have waited for a thread since."""
    return float(g.arrived_at)


def note_problem(code: str) -> None:
    """Remember the code of the problem that answers this request, for its log line and the metrics."""
    g.problem = code


def problem_code() -> str | None:
    """The code of the problem that answers this request; None if none does."""
    code: str | None = g.get("problem")
    return code


def _begin() -> None:
    begins = time.monotonic()
    # Set by api.serving.worker; other servers do not tell when the request was complete.
    g.complete_at = getattr(request.environ["wsgi.input"], "complete_at", begins)
    g.arrived_at = resources().now() - (begins - g.complete_at)
    given = request.headers.get(HEADER, "")
    g.request_id = given if FIT_ID.fullmatch(given) else str(uuid4())
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)
    session_id = str((request.view_args or {}).get("session_id"))
    # Anything else in the path is a client's own words, and is not logged.
    if _FIT_SESSION.fullmatch(session_id):
        structlog.contextvars.bind_contextvars(session_id=session_id)


def _end(response: Response) -> Response:
    response.headers[HEADER] = g.request_id
    response.headers.setdefault("Cache-Control", "no-store")
    rule = request.url_rule.rule if request.url_rule else None
    # Frames come ten times a second from every client, health checks every few seconds: info would bury the other lines. A
    # line for each refused frame would cost more than the refusal; api.gate warns of them.
    usual = response.status_code < 400 or problem_code() in _IN_BURSTS
    write = log.debug if (usual and _frequent(rule)) or problem_code() == BEYOND else log.info
    took = round((time.monotonic() - g.complete_at) * 1000, 1)
    facts = {"method": request.method, "rule": rule, "status": response.status_code, "milliseconds": took}
    if (problem := problem_code()) is not None:
        facts["problem"] = problem
    write("request", **facts)
    return response


def _frequent(rule: str | None) -> bool:
    return rule is None or rule.endswith(("/frame", "/frames", "z"))
