"""Errors as RFC 9457 problems: one table of what can go wrong, and the only place where an error becomes an answer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, NoReturn

import structlog
from flask import Flask, Response
from flask_openapi.types import ResponseDict
from pydantic import BaseModel, ValidationError
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as WerkzeugResponse

from api.context import HEADER, note_problem, request_id
from api.schemas import Fault, Problem

MEDIA_TYPE = "application/problem+json"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """A kind of problem: its code and status never change, so that programs may rely on them."""

    code: str
    status: int
    title: str
    #: What is wrong and what to do about it, where nothing more particular is known.
    detail: str
    #: Seconds after which the client may try again.
    retry_after: int | None = None

    @property
    def type(self) -> str:
        """A stable address, relative to this service, where the kind is explained."""
        return f"/docs#problem-{self.code}"


KINDS: dict[str, ProblemKind] = {
    kind.code: kind
    for kind in (
        ProblemKind("bad_request", 400, "The request cannot be read", "Send a complete, well-formed HTTP request."),
        ProblemKind(
            "malformed_form",
            400,
            "The form cannot be read",
            "Send a complete multipart/form-data body, and name its boundary in the Content-Type header.",
        ),
        ProblemKind(
            "metrics_token",
            401,
            "The metrics' token is missing or wrong",
            "Send the one that METRICS_TOKEN sets, in a header Authorization: Bearer.",
        ),
        ProblemKind(
            "key_missing",
            401,
            "An API key is needed",
            "Send your key in the header `Authorization: Bearer KEY`. Who runs this service makes one by `ops/keys create`.",
        ),
        ProblemKind(
            "key_unknown",
            401,
            "The key opens nothing",
            "Check the key: it is not one of this service's, or it has been revoked. Ask who runs the service for another.",
        ),
        ProblemKind(
            "token_unknown",
            401,
            "The token opens nothing",
            "Use the token that a session's creation with token=true gave: this one is not ours, or its key was revoked.",
        ),
        ProblemKind(
            "token_expired",
            401,
            "The token's time is over",
            "A token lives little longer than its session: create a new session.",
        ),
        ProblemKind(
            "other_session",
            403,
            "The token is another session's",
            "A token is for the one session that it was given with: use that session's id, or create a new session.",
        ),
        ProblemKind(
            "forbidden",
            403,
            "Not with this key",
            "Do this from your backend, with a key of the role `server`: others only create sessions and submit frames.",
        ),
        ProblemKind("not_found", 404, "No such address", "Check the path: /docs lists all that this service answers."),
        ProblemKind(
            "session_not_found",
            404,
            "Unknown session",
            "There is no session with this id: it was never created, was cancelled, or has been deleted since its end. "
            "Create a new one.",
        ),
        ProblemKind(
            "method_not_allowed",
            405,
            "Wrong method",
            "This address does not answer that method: use one that the Allow header lists.",
        ),
        ProblemKind(
            "too_slow",
            408,
            "The request did not come in time",
            "Send it again, over a better connection or with a smaller picture: 640 pixels of width are plenty.",
        ),
        ProblemKind(
            "idempotency_key_in_use",
            409,
            "The same request is being answered",
            "A request with this Idempotency-Key is under way: send it again as Retry-After says, and get its answer.",
            retry_after=1,
        ),
        ProblemKind(
            "idempotency_key_reused",
            422,
            "The Idempotency-Key was used for something else",
            "Use a new Idempotency-Key for each session; send the same one again only with the same parameters and picture.",
        ),
        ProblemKind("body_too_large", 413, "The body is too large", "Send a smaller body."),
        ProblemKind(
            "picture_too_large",
            413,
            "The picture has too many bytes",
            "Send a smaller picture: 640 pixels of width are plenty.",
        ),
        ProblemKind(
            "not_multipart",
            415,
            "Not a multipart form",
            "Send the picture as multipart/form-data, in one part named image.",
        ),
        ProblemKind(
            "invalid_parameter",
            422,
            "A parameter is not valid",
            "See errors for the parameter's name and the range it must be in.",
        ),
        ProblemKind(
            "image_missing",
            422,
            "No part named image",
            "Send the picture, a JPEG or PNG, in a multipart part named image.",
        ),
        ProblemKind(
            "image_not_a_file",
            422,
            "The picture's part is a text field",
            "Send the picture's bytes as a file: the part needs a filename in its Content-Disposition header.",
        ),
        ProblemKind("image_empty", 422, "The picture is empty", "The picture's part has no bytes: send a JPEG or PNG."),
        ProblemKind(
            "not_an_image", 422, "Not a picture", "The bytes are not a JPEG or PNG: send a camera frame as one."
        ),
        ProblemKind(
            "unsupported_image",
            422,
            "This kind of picture is not supported",
            "Send an ordinary 8-bit JPEG or PNG, in colour or grey.",
        ),
        ProblemKind(
            "truncated_image",
            422,
            "The picture is cut off",
            "The end of the picture is missing: send all of its bytes.",
        ),
        ProblemKind(
            "too_many_pixels",
            413,
            "The picture has too many pixels",
            "Send a smaller picture: 640 pixels of width are plenty.",
        ),
        ProblemKind(
            "identity_off",
            422,
            "Faces are not compared here",
            "This service was set up with IDENTITY=off: create the session without a part named reference.",
        ),
        ProblemKind(
            "portrait_not_found",
            404,
            "No portrait",
            "There is none to fetch: the session was not created with portrait=true, has not ended with a live person, or "
            "its portrait has been fetched or has expired.",
        ),
        ProblemKind(
            "verdict_not_found", 404, "No verdict", "There is one when the session's state is completed, and only then."
        ),
        ProblemKind("webhook_not_found", 404, "Unknown webhook", "GET /api/v1/webhooks lists those that there are."),
        ProblemKind(
            "delivery_not_found", 404, "Unknown delivery", "The webhook's deliveries are listed below its address."
        ),
        ProblemKind("too_many_webhooks", 422, "Too many webhooks", "Delete one that is not needed any more."),
        ProblemKind(
            "webhook_url",
            422,
            "Not a URL for a webhook",
            "Name an https address on the internet; WEBHOOKS_PRIVATE=on allows others, for development.",
        ),
        ProblemKind("image_too_small", 422, "The picture is too small", "Send a picture at least 320 pixels wide."),
        ProblemKind(
            "too_many_sessions",
            429,
            "Too many sessions created",
            "Wait as many seconds as Retry-After says before you create the next one.",
            retry_after=1,
        ),
        ProblemKind(
            "too_many_attempts",
            429,
            "Too many failed attempts",
            "This subject has failed too often lately: try again when Retry-After says, or check the person in another way.",
            retry_after=60,
        ),
        ProblemKind(
            "too_many_frames",
            429,
            "Too many frames",
            "Send 5 to 10 frames a second, and wait for each answer. The session goes on; this frame was not looked at.",
            retry_after=1,
        ),
        ProblemKind(
            "internal_error",
            500,
            "An unexpected fault",
            "The fault is ours and has been logged: try again, and tell the operator the request_id if it stays.",
        ),
        ProblemKind(
            "no_answer_in_time",
            503,
            "No worker answered in time",
            "The frame was not judged in time: send the next one. The session goes on.",
            retry_after=1,
        ),
        ProblemKind(
            "overloaded",
            503,
            "More frames than can be judged",
            "The workers are behind, and this frame would not be judged in time: send the next one in a moment. The session "
            "goes on.",
            retry_after=1,
        ),
        ProblemKind(
            "redis_unavailable",
            503,
            "Redis is away",
            "Frames cannot be passed on just now: try again in a moment. The session goes on.",
            retry_after=2,
        ),
        ProblemKind(
            "queue_unavailable",
            503,
            "The queue is away",
            "Frames cannot be passed on just now: try again in a moment. The session goes on.",
            retry_after=2,
        ),
        ProblemKind(
            "database_unavailable",
            503,
            "The database is away",
            "Sessions cannot be read or written just now: try again in a moment.",
            retry_after=2,
        ),
        ProblemKind(
            "unavailable",
            503,
            "Not available",
            "The service could not do this just now: try again in a moment. The session goes on.",
            retry_after=2,
        ),
    )
}

#: What becomes of werkzeug's own errors.
_BY_STATUS = {
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "not_multipart",
    500: "internal_error",
    503: "unavailable",
}


class ProblemError(Exception):
    """Raised anywhere below a request to answer it with a problem.

    code: one of `KINDS`. detail: in place of the kind's own sentence. errors: the parameters that are not valid.
    retry_after: seconds until the client may try again, in place of the kind's own.
    """

    def __init__(
        self,
        code: str,
        detail: str | None = None,
        *,
        errors: list[Fault] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(code)
        self.kind = KINDS[code]
        self.detail = detail
        self.errors = errors
        self.retry_after = retry_after


def refuse_parameters(error: ValidationError) -> NoReturn:
    """What flask-openapi calls when a schema refuses the request: a problem that names each parameter."""
    faults = [Fault(parameter=".".join(map(str, e["loc"])), detail=e["msg"]) for e in error.errors()]
    sentence = "; ".join(f"{fault.parameter} {fault.detail}" for fault in faults)
    raise ProblemError("invalid_parameter", f"{sentence}.", errors=faults)


def responses(answer: type[BaseModel], *codes: str) -> ResponseDict:
    """What a route says in the OpenAPI document: its answer, and by status each problem's code and title."""
    said: ResponseDict = {200: answer}
    said.update(documented(*codes, "too_slow", "internal_error", "unavailable").items())
    return said


def documented(*codes: str) -> dict[int, dict[str, Any]]:
    """The same of problems alone: by status, the codes and titles of those that have it."""
    by_status: dict[int, list[ProblemKind]] = {}
    for code in codes:
        by_status.setdefault(KINDS[code].status, []).append(KINDS[code])
    return {status: _documented(kinds) for status, kinds in by_status.items()}


def _documented(kinds: list[ProblemKind]) -> dict[str, Any]:
    documented: dict[str, Any] = {
        "description": "; ".join(f"`{kind.code}`: {kind.title}" for kind in kinds),
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if any(kind.retry_after for kind in kinds):
        seconds = {"description": "Seconds after which to try again.", "schema": {"type": "integer"}}
        documented["headers"] = {"Retry-After": seconds}
    return documented


def install(app: Flask) -> None:
    """Have the app answer every error as a problem."""
    app.register_error_handler(ProblemError, _on_problem)
    app.register_error_handler(HTTPException, _on_http_error)
    app.register_error_handler(RedisError, _on_redis_away)
    app.register_error_handler(DBAPIError, _on_database_error)
    app.register_error_handler(PoolTimeout, _on_database_error)
    app.register_error_handler(Exception, _on_fault)


def early(
    code: str, request_id: str, *, more: Mapping[str, str] = MappingProxyType({}), follows: bool = False
) -> bytes:
    """The answer to a request that the app has not looked at (`api.serving.worker`, `api.serving.door`), as it is sent.

    more: header fields beside those of every problem. follows: whether another request may come on the connection.
    """
    kind = KINDS[code]
    body = _document(kind, request_id).encode()
    head = {
        "Content-Type": MEDIA_TYPE,
        "Content-Length": len(body),
        HEADER: request_id,
        "Cache-Control": "no-store",
        "Connection": "keep-alive" if follows else "close",
        **more,
    }
    if kind.retry_after is not None:
        head["Retry-After"] = kind.retry_after
    lines = [f"HTTP/1.1 {kind.status} {HTTPStatus(kind.status).phrase}", *(f"{name}: {head[name]}" for name in head)]
    return "\r\n".join((*lines, "", "")).encode() + body


def _document(kind: ProblemKind, request_id: str, detail: str | None = None, errors: list[Fault] | None = None) -> str:
    problem = Problem(
        type=kind.type,
        title=kind.title,
        status=kind.status,
        code=kind.code,
        detail=detail or kind.detail,
        request_id=request_id,
        errors=errors,
    )
    return problem.model_dump_json(exclude_none=True)


def _answer(
    kind: ProblemKind,
    detail: str | None = None,
    errors: list[Fault] | None = None,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Response:
    """The HTTP response for a problem."""
    note_problem(kind.code)
    body = _document(kind, request_id(), detail, errors)
    response = Response(body, kind.status, headers=dict(headers), content_type=MEDIA_TYPE)
    if kind.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    if kind.retry_after is not None:
        response.headers.setdefault("Retry-After", str(kind.retry_after))
    return response


def _on_problem(error: ProblemError) -> Response:
    # Whole seconds, rounded up: a moment too early is refused again.
    headers = {} if error.retry_after is None else {"Retry-After": str(max(1, math.ceil(error.retry_after)))}
    return _answer(error.kind, error.detail, error.errors, headers)


def _on_http_error(error: HTTPException) -> WerkzeugResponse:
    """Werkzeug's own: an unknown address, a wrong method, a body over the limit, a connection that broke."""
    status = error.code or 500
    if status < 400:
        return error.get_response()  # a redirection
    code = _BY_STATUS.get(status, "bad_request" if status < 500 else "internal_error")
    allow = {name: value for name, value in error.get_headers() if name == "Allow"}
    return _answer(KINDS[code], headers=allow)


def _on_redis_away(error: RedisError) -> Response:
    log.warning("redis_unavailable", error=repr(error))
    return _answer(KINDS["redis_unavailable"])


def _on_database_error(error: DBAPIError | PoolTimeout) -> Response:
    """No connection, or none free, is the database being away; any other error of it is a fault of ours."""
    if isinstance(error, DBAPIError) and not isinstance(error, (OperationalError, InterfaceError)):
        return _on_fault(error)
    log.warning("database_unavailable", error=repr(error.__cause__ or error))
    return _answer(KINDS["database_unavailable"])


def _on_fault(error: Exception) -> Response:
    log.error("internal_error", exc_info=error)
    return _answer(KINDS["internal_error"])
