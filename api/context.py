"""What every request has: an id that names it in answers and logs, the moment of its arrival, and an end."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from functools import partial
from typing import IO
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request

from api.resources import resources

HEADER = "X-Request-ID"

#: Seconds without a byte from the client after which its body is given up: it holds one of our threads.
BODY_PATIENCE = 10.0
#: How many times the largest body that we take is read and thrown away, and for how many seconds at most, so that a
#: client that is still sending gets to see our answer.
LINGER_BODIES, LINGER_SECONDS = 4, 5.0

_FIT_ID = re.compile(r"[A-Za-z0-9._-]{8,128}")
_FIT_SESSION = re.compile(r"[0-9a-f-]{36}")
_CHUNK = 64 * 1024

log = structlog.get_logger(__name__)


def install(app: Flask) -> None:
    """Have the app do this around each request."""
    app.before_request(_begin)
    app.after_request(_end)


def request_id() -> str:
    """The id of this request."""
    return str(g.request_id)


def arrived_at() -> float:
    """When this request's handling began, in seconds since the epoch; its body may still have been on its way."""
    return float(g.arrived_at)


def note_problem(code: str) -> None:
    """This request is answered by a problem: for the line that is logged of it, and for the metrics."""
    g.problem = code


def problem_code() -> str | None:
    """The code of the problem that this request is answered by, if it is."""
    code: str | None = g.get("problem")
    return code


def _begin() -> None:
    g.began = time.monotonic()
    g.arrived_at = resources().now()
    given = request.headers.get(HEADER, "")
    g.request_id = given if _FIT_ID.fullmatch(given) else str(uuid4())
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)
    session_id = str((request.view_args or {}).get("session_id"))
    # Anything else that somebody wrote into the path is none of the logs' business.
    if _FIT_SESSION.fullmatch(session_id):
        structlog.contextvars.bind_contextvars(session_id=session_id)
    # gunicorn's threads wait for a body for ever; its socket is set anew with the connection's next request.
    if (socket := request.environ.get("gunicorn.socket")) is not None:
        socket.settimeout(BODY_PATIENCE)


def _end(response: Response) -> Response:
    response.headers[HEADER] = g.request_id
    response.headers.setdefault("Cache-Control", "no-store")
    rule = request.url_rule.rule if request.url_rule else None
    # A frame is asked for ten times a second by every client, and health every few seconds: seen when looked for.
    write = log.debug if response.status_code < 400 and _frequent(rule) else log.info
    took = round((time.monotonic() - g.began) * 1000, 1)
    facts = {"method": request.method, "rule": rule, "status": response.status_code, "milliseconds": took}
    if (problem := problem_code()) is not None:
        facts["problem"] = problem
    write("request", **facts)
    if "wsgi.input_terminated" in request.environ:  # else reading on might block for ever
        limit = LINGER_BODIES * (request.max_content_length or _CHUNK)
        response.call_on_close(partial(_linger, request.environ["wsgi.input"], limit))
    return response


def _frequent(rule: str | None) -> bool:
    return rule is None or rule.endswith(("/frame", "z"))


def _linger(body: IO[bytes], limit: int) -> None:
    """Read what is left of a body that was answered before it was read; called after the answer has been sent.

    Without this the server would close the connection on unread bytes, and the client would be told "connection reset"
    in place of the answer that says why.
    """
    until = time.monotonic() + LINGER_SECONDS
    with suppress(OSError, ValueError):
        while limit > 0 and time.monotonic() < until:
            chunk = body.read(min(_CHUNK, limit))
            if not chunk:
                return
            limit -= len(chunk)
