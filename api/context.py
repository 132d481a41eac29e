"""What every request has: an id that names it in answers and logs, the moment of its arrival, and an end."""

from __future__ import annotations

import re
import time
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request

from api.resources import resources

HEADER = "X-Request-ID"

#: Of these there is never one alone.
_TOO_MANY = ("overloaded", "too_many_frames")

FIT_ID = re.compile(r"[A-Za-z0-9._-]{8,128}")
_FIT_SESSION = re.compile(r"[0-9a-f-]{36}")

log = structlog.get_logger(__name__)


def install(app: Flask) -> None:
    """Have the app do this around each request."""
    app.before_request(_begin)
    app.after_request(_end)


def request_id() -> str:
    """The id of this request."""
    return str(g.request_id)


def arrived_at() -> float:
    """When all of this request had come, in seconds since the epoch; it may have waited for one of our threads since."""
    return float(g.arrived_at)


def note_problem(code: str) -> None:
    """This request is answered by a problem: for the line that is logged of it, and for the metrics."""
    g.problem = code


def problem_code() -> str | None:
    """The code of the problem that this request is answered by, if it is."""
    code: str | None = g.get("problem")
    return code


def _begin() -> None:
    begins = time.monotonic()
    g.came = getattr(
        request.environ["wsgi.input"], "came", begins
    )  # api.serving.worker says when; other servers do not
    g.arrived_at = resources().now() - (begins - g.came)
    given = request.headers.get(HEADER, "")
    g.request_id = given if FIT_ID.fullmatch(given) else str(uuid4())
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)
    session_id = str((request.view_args or {}).get("session_id"))
    # Anything else that somebody wrote into the path is none of the logs' business.
    if _FIT_SESSION.fullmatch(session_id):
        structlog.contextvars.bind_contextvars(session_id=session_id)


def _end(response: Response) -> Response:
    response.headers[HEADER] = g.request_id
    response.headers.setdefault("Cache-Control", "no-store")
    rule = request.url_rule.rule if request.url_rule else None
    # A frame is asked for ten times a second by every client, and health every few seconds: seen when looked for. So are the
    # frames that are refused because there are too many (api.gate says that there are), or each would cost more by its line.
    usual = response.status_code < 400 or problem_code() in _TOO_MANY
    write = log.debug if usual and _frequent(rule) else log.info
    took = round((time.monotonic() - g.came) * 1000, 1)
    facts = {"method": request.method, "rule": rule, "status": response.status_code, "milliseconds": took}
    if (problem := problem_code()) is not None:
        facts["problem"] = problem
    write("request", **facts)
    return response


def _frequent(rule: str | None) -> bool:
    return rule is None or rule.endswith(("/frame", "z"))
