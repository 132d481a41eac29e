"""Problems (RFC 9457): the table of all kinds of problems, and the handlers that turn an error into an answer."""

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
    """A kind of problem. Its code and status never change, so that programs may rely on them."""

    code: str
    status: int
    title: str
    #: What is wrong and what to do about it; `ProblemError` may say something more particular.
    detail: str
    #: Seconds after which the client may try again.
    retry_after: int | None = None

    @property
    def type(self) -> str:
        """The stable address, relative to this service, of the explanation of the kind."""
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
            "Send the token of METRICS_TOKEN in the header `Authorization: Bearer TOKEN`.",
        ),
        ProblemKind(
            "key_missing",
            401,
            "An API key is needed",
            "Send your key in the header `Authorization: Bearer KEY`. The operator makes one with `ops/keys create`.",
        ),
        ProblemKind(
            "key_unknown",
            401,
            "The key is not valid",
            "Check the key: it is not one of this service, has been revoked, or its time is over. Ask the operator for "
            "another.",
        ),
        ProblemKind(
            "token_unknown",
            401,
            "The token is not valid",
            "Use the token from a session's creation with token=true: this one is not ours, or its key was revoked.",
        ),
        ProblemKind(
            "token_expired",
            401,
            "The token has expired",
            "A token lives little longer than its session: create a new session.",
        ),
        ProblemKind(
            "other_session",
            403,
            "The token is another session's",
            "A token is for one session only: use the id of the session that it was given with, or create a new session.",
        ),
        ProblemKind(
            "other_browser",
            403,
            "The token is another browser's",
            "The link was opened in another browser first: go on there, or ask for a new session. A client's header "
            "Liveness-Browser holds 22 to 128 letters, digits, hyphens and underscores, the same with every request.",
        ),
        ProblemKind(
            "forbidden",
            403,
            "Not allowed with this key",
            "Do this from your backend, with a key of the role `server`: others only create sessions and submit frames.",
        ),
        ProblemKind(
            "session_ended",
            409,
            "The session has ended",
            "This caller may cancel a session that has not ended. Your backend erases others, with a key of the role "
            "`server`.",
        ),
        ProblemKind(
            "host_not_allowed",
            403,
            "Not by this name",
            "Call the service by a name or address that ALLOWED_HOSTS names; while it asks for no key, as localhost. Its "
            "operator can add to ALLOWED_HOSTS.",
        ),
        ProblemKind(
            "peer_not_allowed",
            403,
            "Served on this machine only",
            "While the service asks for no API key, it serves only the machine that it runs on. Its operator can make a key "
            "with `ops/keys create`, or set BIND.",
        ),
        ProblemKind("not_found", 404, "No such address", "Check the path: /docs lists all paths of this service."),
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
            "This address does not take that method: use one of the Allow header.",
        ),
        ProblemKind(
            "too_slow",
            408,
            "The request did not come in time",
            "Send it again, over a better connection or with a smaller picture: 640 pixels of width are plenty.",
        ),
        ProblemKind(
            "uri_too_long",
            414,
            "The address is too long",
            "Send a shorter path and query: parameters need little room.",
        ),
        ProblemKind(
            "head_too_large",
            431,
            "The header fields are too large",
            "Send fewer or shorter header fields: a key or token needs one of a few hundred bytes.",
        ),
        ProblemKind(
            "coding_unknown",
            501,
            "The transfer coding is not known",
            "Send the body with a Content-Length, or with `Transfer-Encoding: chunked` alone.",
        ),
        ProblemKind(
            "idempotency_key_in_use",
            409,
            "The same request is being answered",
            "A request with this Idempotency-Key is under way: send it again after Retry-After seconds, and get its answer.",
            retry_after=1,
        ),
        ProblemKind(
            "out_of_sequence",
            409,
            "The frame does not follow the latest answers",
            "The session has sequence=required: send the nonces of the latest answers as `nonces`, and all frames from "
            "one program. This frame was not judged; the session goes on.",
        ),
        ProblemKind(
            "camera_report",
            422,
            "The report about the camera cannot be read",
            "Send the field `camera` as the JSON object that docs/client.md describes, or leave it out.",
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
            "outside_policy",
            422,
            "Not permitted by the policy",
            "The operator bounds what may be asked for: see errors, or leave the parameter out.",
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
            "image_too_complex",
            422,
            "The picture costs too much to decode",
            "Send an ordinary baseline JPEG: this picture has too many scans or chunks, or decoding it took too long.",
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
            "This service was set up with IDENTITY=off: create the session without a part named reference, and without "
            "portrait=true.",
        ),
        ProblemKind(
            "portrait_not_found",
            404,
            "No portrait",
            "There is no portrait: the session was not created with portrait=true, has not ended with a live person, or "
            "its portrait has been fetched, has been deleted or has expired.",
        ),
        ProblemKind("verdict_not_found", 404, "No verdict", "Only a session in the state completed has a verdict."),
        ProblemKind("webhook_not_found", 404, "Unknown webhook", "GET /api/v1/webhooks lists the webhooks."),
        ProblemKind(
            "delivery_not_found", 404, "Unknown delivery", "GET /api/v1/webhooks/ID/deliveries lists the deliveries."
        ),
        ProblemKind("too_many_webhooks", 422, "Too many webhooks", "Delete a webhook that is not needed any more."),
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
            "Wait for Retry-After seconds before you create the next one.",
            retry_after=1,
        ),
        ProblemKind(
            "too_many_attempts",
            429,
            "Too many failed attempts",
            "This subject has failed too often lately: try again after Retry-After seconds, or check them another way.",
            retry_after=60,
        ),
        ProblemKind(
            "too_many_frames",
            429,
            "Too many frames",
            "Send 5 to 10 frames a second, and wait for each answer. The session goes on; this frame was not judged.",
            retry_after=1,
        ),
        ProblemKind(
            "too_many_refusals",
            429,
            "Too many requests without a valid key",
            "Send a valid key or token: your network has sent too many requests without one. Try again after Retry-After "
            "seconds.",
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
            "workers_behind",
            503,
            "No new session for a moment",
            "The workers are behind with the frames of sessions under way, which go on: try again in a moment.",
            retry_after=2,
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
            "too_many_references",
            503,
            "More reference pictures than can be described",
            "The session was not created, because too many reference pictures wait: create it again in a moment.",
            retry_after=2,
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

#: The codes for werkzeug's own errors, by status.
_BY_STATUS = {
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "not_multipart",
    500: "internal_error",
    503: "unavailable",
}


class ProblemError(Exception):
    """Answers the request with a problem, wherever it is raised.

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
    """Raise `invalid_parameter` with each parameter that a schema refuses; flask-openapi calls this."""
    faults = [Fault(parameter=".".join(map(str, e["loc"])), detail=e["msg"]) for e in error.errors()]
    sentence = "; ".join(f"{fault.parameter} {fault.detail}" for fault in faults)
    raise ProblemError("invalid_parameter", f"{sentence}.", errors=faults)


def responses(answer: type[BaseModel], *codes: str) -> ResponseDict:
    """The responses of a route for the OpenAPI document: its answer, and its problems by status."""
    by_status: ResponseDict = {200: answer}
    by_status.update(documented(*codes, "too_slow", "internal_error", "unavailable").items())
    return by_status


def documented(*codes: str) -> dict[int, dict[str, Any]]:
    """The problems for the OpenAPI document: by status, their codes and titles."""
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
    """Answer every error of the app with a problem."""
    app.register_error_handler(ProblemError, _on_problem)
    app.register_error_handler(HTTPException, _on_http_error)
    app.register_error_handler(RedisError, _on_redis_away)
    app.register_error_handler(DBAPIError, _on_database_error)
    app.register_error_handler(PoolTimeout, _on_database_error)
    app.register_error_handler(Exception, _on_fault)


def early(
    code: str, request_id: str, *, more: Mapping[str, str] = MappingProxyType({}), follows: bool = False
) -> bytes:
    """The bytes of an answer to a request that the app has not seen (`api.serving.worker`, `api.serving.door`).

    more: header fields beside those of every problem. follows: whether another request may follow on the connection.
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
    # Whole seconds, rounded up: a client that comes a moment too early is refused again.
    headers = {} if error.retry_after is None else {"Retry-After": str(max(1, math.ceil(error.retry_after)))}
    return _answer(error.kind, error.detail, error.errors, headers)


def _on_http_error(error: HTTPException) -> WerkzeugResponse:
    """Answer werkzeug's own errors: an unknown address, a wrong method, too large a body, a broken connection."""
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
    """Answer `database_unavailable` without a (free) connection; any other database error is a fault of ours."""
    if isinstance(error, DBAPIError) and not isinstance(error, (OperationalError, InterfaceError)):
        return _on_fault(error)
    log.warning("database_unavailable", error=repr(error.__cause__ or error))
    return _answer(KINDS["database_unavailable"])


def _on_fault(error: Exception) -> Response:
    log.error("internal_error", exc_info=error)
    return _answer(KINDS["internal_error"])
