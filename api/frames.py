"""Submitting frames: each frame is passed on to a worker, and the request waits for the answer."""

from __future__ import annotations

import time
from collections.abc import Collection
from contextlib import suppress
from uuid import uuid4

from flask import Response, request
from flask_openapi import APIBlueprint
from flask_openapi.models import MediaType, RequestBody, Schema
from redis.exceptions import RedisError

from api import discretion, limits
from api.access import refuse_strangers
from api.context import arrived_at
from api.problems import KINDS, ProblemError, responses
from api.resources import Resources, resources
from api.schemas import ENDED, FrameAnswer, FrameForm, FrameQuery, SessionPath
from api.sessions import TAG, find, json_of, known_form
from api.strictness import takes_form
from api.uploads import read_frame
from shared.handoff import answers, frame_pictures, inflight, sequences
from shared.handoff.answers import Answer, FrameProblem
from shared.liveness.observation import Observation
from shared.liveness.sequence import follows
from shared.liveness.session import Session
from shared.queue.messages import QueueUnavailable, enqueue_frame
from shared.redis.timekeeping import now
from shared.telemetry.metrics.table import FRAME_ANSWER_SECONDS

frames = APIBlueprint("frames", __name__, url_prefix="/api/v1/liveness/sessions", abp_tags=[TAG])

#: The form, for the OpenAPI document only; `api.uploads` reads it. flask-openapi would read the whole form before anything
#: could refuse it, and write larger pictures into temporary files.
_FORM = RequestBody(
    required=True,
    content={"multipart/form-data": MediaType(schema=Schema.model_validate(FrameForm.model_json_schema()))},
)


#: The answers to a frame.
_RESPONSES = responses(
    FrameAnswer,
    "invalid_parameter",
    "malformed_form",
    "session_not_found",
    "out_of_sequence",
    "picture_too_large",
    "not_multipart",
    "image_missing",
    "image_not_a_file",
    "image_empty",
    "camera_report",
    "not_an_image",
    "unsupported_image",
    "image_too_complex",
    "truncated_image",
    "too_many_pixels",
    "image_too_small",
    "too_many_frames",
    "overloaded",
    "no_answer_in_time",
    "redis_unavailable",
    "queue_unavailable",
    "database_unavailable",
)


@frames.post("/<session_id>/frame", operation_id="submit_frame", request_body=_FORM, responses=_RESPONSES)
@frames.post(
    "/<session_id>/frames",
    operation_id="submit_frames",
    summary="Submit a camera frame, by its other path",
    description="The same call as submit_frame, for the clients of OpenBiometrics.",
    request_body=_FORM,
    responses=_RESPONSES,
)
@takes_form
def submit_frame(path: SessionPath, query: FrameQuery) -> Response:
    """Submit a camera frame.

    Send 5 to 10 a second, not mirrored unless the session was created with mirrored=true. Frames of a session that has
    ended are answered at once with its state, so that a client's loop ends by itself.
    """
    deps = resources()
    session_id = known_form(path.session_id)
    session = deps.session_cache.known(session_id, arrived_at())
    if session is None:
        session = find(deps, session_id, arrived_at())
        deps.session_cache.seen(session, arrived_at())
    else:
        refuse_strangers(session)
    answer = _answer_of_ended(session) if session.ended else _pass_on(deps, session, query.carried)
    return json_of(discretion.told(answer))


def refuse_unasked() -> None:
    """Refuse a frame while the gate is shut; called for every request, before access looks at keys."""
    if request.endpoint == "frames.submit_frame":
        session_id = str((request.view_args or {}).get("session_id")).lower()
        if resources().gate.keeps_out(session_id):
            raise ProblemError("overloaded")


def _answer_of_ended(session: Session) -> FrameAnswer:
    """The answer to any frame of a session that has ended."""
    return FrameAnswer.model_validate(session.submit("", Observation(faces=0), arrived_at()))


def _pass_on(deps: Resources, session: Session, carried: Collection[str]) -> FrameAnswer:
    """Read the picture, leave it for a worker, and wait for the answer."""
    session_id, frame_id = session.id, str(uuid4())
    _enter(deps, session_id, frame_id)
    answer: Answer | None = None
    tidy = True
    try:
        if session.options.sequence and not follows(carried, sequences.latest(deps.redis, session_id)):
            raise ProblemError("out_of_sequence")
        picture, report = read_frame(request, deps.settings, session_id)
        # Counted from here, so that a slow Redis or queue does not add to the time that the client waits.
        until = time.monotonic() + deps.settings.frame_deadline
        pipe = deps.redis.pipeline(transaction=False)
        frame_pictures.put(pipe, frame_id, picture, deps.settings.frame_ttl)
        if report is not None:
            frame_pictures.put_report(pipe, frame_id, report, deps.settings.frame_ttl)
        inflight.wait(pipe, frame_id, now())
        pipe.execute()
        enqueue_frame(deps.broker, session_id, frame_id, arrived_at())
        answer = answers.wait(deps.waiting, frame_id, until - time.monotonic())
    except QueueUnavailable as error:
        raise ProblemError("queue_unavailable") from error
    except RedisError:
        tidy = False  # Redis would only be waited for once more; what is in it expires
        raise
    finally:
        if answer is None and tidy:  # a worker that answers tidies up
            _give_up(deps, session_id, frame_id)
    if answer is None:
        raise ProblemError("no_answer_in_time")
    FRAME_ANSWER_SECONDS.observe(max(0.0, now() - arrived_at()))
    if answer.problem is not None:
        raise _as_error(answer.problem)
    return _with_nonce(deps, session, FrameAnswer.model_validate(answer.result))


def _with_nonce(deps: Resources, session: Session, answer: FrameAnswer) -> FrameAnswer:
    """The answer, with a nonce for the next frames if the session needs one and goes on."""
    if session.options.sequence and answer.state not in ENDED:
        with suppress(RedisError):  # the frame has been judged: an answer without a nonce is better than none
            answer.nonce = sequences.issue(deps.redis, session.id, session.expires_at - now())
    return answer


def _as_error(problem: FrameProblem) -> ProblemError:
    """A worker's problem as this process documents it; `unavailable` for a code of a newer worker."""
    code = problem.code if problem.code in KINDS else "unavailable"
    return ProblemError(code, problem.detail or None)


def _enter(deps: Resources, session_id: str, frame_id: str) -> None:
    """Register the frame as under way, or refuse it; called before its form is parsed and its picture checked."""
    settings = deps.settings
    most = inflight.Limits(settings.frames_per_session, settings.frames_per_worker, settings.frame_wait)
    if now() - arrived_at() > settings.frame_wait:
        raise ProblemError("overloaded")  # it has already waited so long for a thread
    buckets = limits.of_frame(session_id)
    sharer = limits.sharer(session_id)
    admission = inflight.enter(deps.redis, session_id, frame_id, arrived_at(), most, buckets=buckets, sharer=sharer)
    match admission.entry:
        case inflight.Entry.BEHIND:
            deps.gate.shut()
            raise ProblemError("overloaded")
        case inflight.Entry.NOT_YET | inflight.Entry.OVER_SHARE:
            deps.gate.send_away(session_id)
            raise ProblemError("overloaded")
        case inflight.Entry.TOO_MANY:
            raise ProblemError("too_many_frames")
    limits.note(admission.levels, "too_many_frames")


def _give_up(deps: Resources, session_id: str, frame_id: str) -> None:
    """Remove a frame that nobody waits for any more."""
    with suppress(RedisError):  # what cannot be removed expires
        pipeline = deps.redis.pipeline(transaction=False)
        inflight.leave(pipeline, session_id, frame_id)
        frame_pictures.drop(pipeline, frame_id)
        pipeline.execute()
