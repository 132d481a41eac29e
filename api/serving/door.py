"""The door: refuses frames while the gate is shut, before a thread or the app has them. `api.serving.worker` asks it.

The answer is that of the app (`api.frames.refuse_unasked`), for less of the processor that judging needs. The door reads
only requests as nearly every client sends them; the app gives the same answer to the others.
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

#: The endpoint that the door stands before, and the problem that it answers.
ENDPOINT, CODE, STATUS = "frames.submit_frame", "overloaded", "503"

# A head may have hundreds of kilobytes: none of these patterns looks at a byte more than a few times.
#: The id of a session in a path; and header fields that every program parses alike.
_ID = rb"([0-9A-Fa-f-]{36})"
#: The query of a frame of a session with sequence=required.
_QUERY = rb"(?:\?nonces=[0-9A-Za-z,%]*)?"
_FIELDS = rb"(?:[A-Za-z0-9-]+:[\t\x20-\x7e\x80-\xff]*\r\n)+\r\n"
#: Fields that ask for more than an answer, or about which programs may disagree where the request ends.
_MORE = re.compile(rb"\r\n(?:transfer-encoding|expect|upgrade):", re.IGNORECASE)
_ORIGIN = re.compile(rb"\r\norigin:", re.IGNORECASE)
_BELOW = re.compile(rb"\r\n(?:x-forwarded-prefix|script_name):", re.IGNORECASE)
_CONNECTION = re.compile(rb"\r\nconnection:([^\r]*)", re.IGNORECASE)
_GIVEN_ID = re.compile(rb"\r\n" + HEADER.encode() + rb":([^\r]*)", re.IGNORECASE)

log = structlog.get_logger(__name__)


class Door:
    """The door of one app."""

    def __init__(self, app: Flask) -> None:
        """Read the route of frames from the app, which must have been registered."""
        deps = resources_of(app)
        self._gate = deps.gate
        self._counted = deps.settings.metrics_token is not None
        #: Whether pages of other origins may read answers. `api.cors` adds the headers for them, so the app answers them.
        self._for_others = bool(deps.settings.cors_origins)
        # The first is the documented one; the other, with an s, stands for the same call.
        self._rule = next(rule.rule for rule in app.url_map.iter_rules(ENDPOINT) if rule.rule.endswith("/frame"))
        #: A proxy names its path in a header, which the app reads.
        self._for_below = deps.settings.trusted_proxies > 0 and not deps.settings.base_path
        self._base_path = deps.settings.base_path
        below = rb"(?:" + re.escape(self._base_path.encode()) + rb")?"
        path = below + re.escape(self._rule.encode()).replace(re.escape(b"<session_id>"), _ID)
        self._frame = re.compile(rb"POST " + path + rb"s?" + _QUERY + rb" HTTP/1\.([01])\r\n" + _FIELDS)

    def refusal(self, head: bytes) -> tuple[bytes, bool] | None:
        """The refusal of a whole request with this head, and whether another request may follow on the connection.

        None if the request is not a frame, the gate does not keep it out, or the app must see it.
        """
        if self._gate.is_open:
            return None
        began = monotonic()
        frame = self._frame.fullmatch(head)
        if frame is None or not self._gate.keeps_out(frame[1].decode().lower()):
            return None
        if _MORE.search(head) or (self._for_others and _ORIGIN.search(head)):
            return None
        if self._for_below and _BELOW.search(head):
            return None
        asked = [value.strip().lower() for value in _CONNECTION.findall(head)]
        if asked not in ([], [b"keep-alive"], [b"close"]):
            return None
        follows = frame[2] == b"1" and asked != [b"close"]
        given = _GIVEN_ID.search(head)
        request_id = given[1].strip().decode("latin-1") if given else ""
        if not FIT_ID.fullmatch(request_id):
            request_id = str(uuid4())
        answer = early(CODE, request_id, base_path=self._base_path, more=USUAL, follows=follows)
        if self._counted:
            REQUESTS.labels(self._rule, "POST", STATUS).inc()
            REQUEST_SECONDS.labels(self._rule).observe(monotonic() - began)
            PROBLEMS.labels(CODE).inc()
        log.debug("request", method="POST", rule=self._rule, status=int(STATUS), problem=CODE, request_id=request_id)
        return answer, follows
