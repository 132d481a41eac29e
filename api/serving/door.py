"""Frames that come while the gate is shut, refused before a thread or the app has them: `api.serving.worker` asks for each.

They are told what the app would tell them (`api.frames.refuse_unasked`), for a sixth of what that takes of the processor
that judging needs. What is not as plain as nearly every client's request is goes the long way, to the same answer.
"""

from __future__ import annotations

import re
from time import monotonic
from uuid import uuid4

import structlog
from flask import Flask

from api.context import FIT_ID, HEADER
from api.headers import USUAL
from api.problems import early
from api.resources import resources_of
from shared.telemetry.metrics.table import PROBLEMS, REQUEST_SECONDS, REQUESTS

#: Of `api.frames`.
ENDPOINT, CODE, STATUS = "frames.submit_frame", "overloaded", "503"

# A client may send a head of hundreds of kilobytes: none of these looks at a byte more than a few times.
#: A session's id in a path; and the fields of a head in which all programs see the same.
_ID = rb"([0-9A-Fa-f-]{36})"
_FIELDS = rb"(?:[A-Za-z0-9-]+:[\t\x20-\x7e\x80-\xff]*\r\n)+\r\n"
#: Fields by which more is asked for than an answer, or by which programs may not agree where a request ends.
_MORE = re.compile(rb"\r\n(?:transfer-encoding|expect|upgrade):", re.IGNORECASE)
_ORIGIN = re.compile(rb"\r\norigin:", re.IGNORECASE)
_CONNECTION = re.compile(rb"\r\nconnection:([^\r]*)", re.IGNORECASE)
_GIVEN_ID = re.compile(rb"\r\n" + HEADER.encode() + rb":([^\r]*)", re.IGNORECASE)

log = structlog.get_logger(__name__)


class Door:
    """That of one app."""

    def __init__(self, app: Flask) -> None:
        """Made when the app's routes are there."""
        held = resources_of(app)
        self._gate = held.gate
        self._counted = held.settings.metrics_token is not None
        #: Whether pages of other sites may ask, who must be told that they may read the answer: that is flask-cors' part.
        self._for_others = bool(held.settings.cors_origins)
        (rule,) = app.url_map.iter_rules(ENDPOINT)
        self._rule = rule.rule
        path = re.escape(self._rule.encode()).replace(re.escape(b"<session_id>"), _ID)
        self._frame = re.compile(rb"POST " + path + rb" HTTP/1\.([01])\r\n" + _FIELDS)

    def refusal(self, head: bytes) -> tuple[bytes, bool] | None:
        """The answer to a whole request with this head, and whether another may follow it on its connection.

        None where it is no frame, the gate does not keep it out, or the app must see it.
        """
        if self._gate.is_open:
            return None
        began = monotonic()
        frame = self._frame.fullmatch(head)
        if frame is None or not self._gate.keeps_out(frame[1].decode().lower()):
            return None
        if _MORE.search(head) or (self._for_others and _ORIGIN.search(head)):
            return None
        asked = [value.strip().lower() for value in _CONNECTION.findall(head)]
        if asked not in ([], [b"keep-alive"], [b"close"]):
            return None
        follows = frame[2] == b"1" and asked != [b"close"]
        given = _GIVEN_ID.search(head)
        request_id = given[1].strip().decode("latin-1") if given else ""
        if not FIT_ID.fullmatch(request_id):
            request_id = str(uuid4())
        answer = early(CODE, request_id, more=USUAL, follows=follows)
        if self._counted:
            REQUESTS.labels(self._rule, "POST", STATUS).inc()
            REQUEST_SECONDS.labels(self._rule).observe(monotonic() - began)
            PROBLEMS.labels(CODE).inc()
        log.debug("request", method="POST", rule=self._rule, status=int(STATUS), problem=CODE, request_id=request_id)
        return answer, follows
