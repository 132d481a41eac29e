"""Sessions: creating, looking at and cancelling them."""

from __future__ import annotations

import random
import re
from contextlib import suppress
from dataclasses import replace
from uuid import uuid4

from flask import Response, request
from flask_openapi import APIBlueprint, Tag
from flask_openapi.models import MediaType, RequestBody, Schema
from pydantic import BaseModel
from redis.exceptions import RedisError

from api import addresses, attempts, audit, limits, policies, tokens
from api.access import Who, caller, refuse_strangers, secret, sees_verdict
from api.context import arrived_at
from api.idempotency import once
from api.problems import ProblemError, responses
from api.resources import Resources, resources
from api.schemas import (
    Cancelled,
    CreationForm,
    CreationHeaders,
    SessionLook,
    SessionMade,
    SessionOptions,
    SessionPath,
    SessionView,
)
from api.uploads import read_reference
from shared.db import UnitOfWork
from shared.db.trail import Action, Tombstone
from shared.handoff import faces, inflight, references
from shared.liveness.draw import draw, draw_pauses
from shared.liveness.options import Options
from shared.liveness.session import Session
from shared.liveness.terms import Terms
from shared.queue.messages import QueueUnavailable, enqueue_reference
from shared.redis.timekeeping import now

TAG = Tag(name="Sessions", description="A session is one person's check: its challenges, and their outcome.")

sessions = APIBlueprint("sessions", __name__, url_prefix="/api/v1/liveness/sessions", abp_tags=[TAG])

#: The form of an id, a lower-case UUID; anything else never reaches the database.
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

#: The operating system's randomness: past draws tell nothing about future ones.
_chance = random.SystemRandom()

#: The form, for the OpenAPI document only; see `api.frames`.
_FORM = RequestBody(
    required=False,
    content={"multipart/form-data": MediaType(schema=Schema.model_validate(CreationForm.model_json_schema()))},
)


@sessions.post(
    "",
    operation_id="create_session",
    request_body=_FORM,
    responses=responses(
        SessionMade,
        "invalid_parameter",
        "outside_policy",
        "forbidden",
        "malformed_form",
        "picture_too_large",
        "image_not_a_file",
        "image_empty",
        "not_an_image",
        "unsupported_image",
        "image_too_complex",
        "truncated_image",
        "too_many_pixels",
        "identity_off",
        "too_many_sessions",
        "too_many_attempts",
        "too_many_references",
        "workers_behind",
        "idempotency_key_in_use",
        "idempotency_key_reused",
        "redis_unavailable",
        "queue_unavailable",
        "database_unavailable",
    ),
)
def create_session(header: CreationHeaders, query: SessionOptions) -> Response:
    """Create a session.

    The server draws the challenges at random. No challenge follows itself or its opposite, and two or more challenges have
    at least one head movement and one facial expression, as far as the challenges left to draw from allow.
    """
    deps, key = resources(), header.idempotency_key
    if key is None:
        _refuse_while_behind(deps)  # a refusal takes no token
    limits.for_creation()
    if query.relying_party is not None and caller().who is not Who.SERVER:
        # Anybody can take a client key from an app, and would have this service's page speak for somebody else.
        raise ProblemError(
            "forbidden", "Only a key of the role `server` names the relying party: leave relying_party out."
        )
    reference = read_reference(request, deps.settings)
    if (reference is not None or query.portrait) and not deps.settings.identity:
        raise ProblemError("identity_off")  # a portrait is kept only of a face that was compared
    if key is None:
        return json_of(_create(deps, query, reference), exclude_none=True)
    by_server = caller().key_id is not None and caller().who is Who.SERVER
    made: list[SessionMade] = []

    def make() -> bytes:
        _refuse_while_behind(deps)  # a repetition gets the answer that was kept
        made.append(_create(deps, query, reference))
        return made[0].model_dump_json(exclude_none=True, exclude=None if by_server else {"token"}).encode()

    # A client key, or no key, is many people's. An address may be, too: so they are never given a token twice.
    body, kept = once(
        deps.redis,
        key.strip('"'),
        make,
        who=(caller().key_id or "") + ("" if by_server else f" {addresses.network(addresses.CUSTOMER)}"),
        # Without what is not given and an earlier version does not know: a repetition may reach another process.
        asked=query.model_dump_json(exclude=None if query.relying_party else {"relying_party"}).encode()
        + (reference or b""),
        ttl=deps.settings.session_ttl,
    )
    if made:
        return json_of(made[0], exclude_none=True)
    response = Response(body, content_type="application/json")
    if kept:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def _refuse_while_behind(deps: Resources) -> None:
    """Raise `workers_behind` if the first frame of a new session would be refused."""
    with suppress(RedisError):  # the limits let every creation through without Redis, and so does this
        if deps.gate.is_shut or inflight.behind(deps.redis):
            raise ProblemError("workers_behind")


def _create(deps: Resources, query: SessionOptions, reference: bytes | None) -> SessionMade:
    settings = deps.settings
    if reference is not None and references.full(deps.redis, now()):
        raise ProblemError("too_many_references")
    permitted = policies.permitted(query, policies.of(caller(), settings), settings)
    pauses = draw_pauses(permitted.num_challenges, _chance) if permitted.reveal == "next" else ()
    session = Session.open(
        str(uuid4()),
        draw(permitted.num_challenges, _chance, set(permitted.challenge_types)),
        timeout_seconds=permitted.timeout_seconds,
        at=arrived_at(),
        ttl=settings.session_ttl,
        mirrored=permitted.mirrored,
        preset=permitted.preset,
        options=Options(
            pauses=pauses,
            portrait=query.portrait,
            nonce=query.nonce,
            threshold=permitted.threshold,
            sequence=query.sequence == "required",
        ),
        identify=settings.identity,
        reference=reference is not None,
        passive=settings.evidence_model is not None,
        owner=caller().key_id,
        subject=None if query.subject is None else attempts.hashed(query.subject),
        terms=Terms(permitted.challenge_types, permitted.policy, query.relying_party),
    )
    with UnitOfWork(deps.engine) as uow:
        if session.subject is not None and attempts.spent(uow, session.subject):
            session.terms = replace(session.terms, attempts_spent=True)
        uow.sessions.add(session)
        uow.trail.add(audit.entry(Action.CREATED, session.id))
        if query.token:
            uow.trail.add(audit.entry(Action.TOKEN_ISSUED, session.id))
        uow.commit()
    made = SessionMade(**dict(SessionView.of(session, arrived_at())))
    try:
        if reference is not None:
            _have_described(deps, session, reference)
        if query.token:
            made.token = tokens.issue(secret(), session, caller().key_id, arrived_at())
    except Exception:
        # Nobody learns the session's id: it would only expire, and count as an open attempt of its subject until then.
        with suppress(Exception):
            _cancel(deps, session.id)
        raise
    return made


@sessions.get(
    "/<session_id>",
    operation_id="get_session",
    responses=responses(SessionLook, "session_not_found", "database_unavailable"),
)
def get_session(path: SessionPath) -> Response:
    """Get a session.

    It can be read in every state. No frame is needed to end a session: one that is overdue is answered as failed or expired.
    """
    deps = resources()
    session = find(deps, path.session_id, arrived_at())
    look = SessionLook.of(session, arrived_at(), relying_party=deps.settings.relying_party)
    if caller().who is not Who.SERVER:
        look.asked = look.owner = look.subject = look.nonce = None
    if not sees_verdict():
        look.is_live = None
    elif look.is_live is not None:
        audit.write(Action.VERDICT_READ, look.session_id)
    return json_of(look)


@sessions.delete(
    "/<session_id>",
    operation_id="cancel_session",
    responses=responses(Cancelled, "session_not_found", "session_ended", "database_unavailable"),
)
def cancel_session(path: SessionPath) -> Response:
    """Cancel a session.

    From then on the session is unknown, and all of its data are erased but for its id, its times and who cancelled it. With
    a `server` key it can be cancelled in every state; a `client` key and a token can cancel a session that has not ended.
    """
    deps, session_id = resources(), known_form(path.session_id)
    if caller().who is not Who.SERVER:
        find(deps, session_id, arrived_at())  # ends a session that is overdue, and refuses strangers
    _cancel(deps, session_id, ended=caller().who is Who.SERVER)
    return json_of(Cancelled(cancelled=session_id))


def _have_described(deps: Resources, session: Session, reference: bytes) -> None:
    """Pass the reference picture on to a worker."""
    faces.put_picture(deps.redis, session.id, reference)
    references.enter(deps.redis, session.id, now())
    try:
        enqueue_reference(deps.broker, session.id, session.expires_at)
    except QueueUnavailable as error:
        references.leave(deps.redis, session.id)
        raise ProblemError("queue_unavailable") from error


def _cancel(deps: Resources, session_id: str, *, ended: bool = True) -> None:
    """Delete a session; its tombstone and the audit trail stay.

    ended: whether it may have ended; else raises `session_ended` if it has.
    """
    with UnitOfWork(deps.engine, on_end=deps.endings) as uow:
        session = uow.sessions.get(session_id, lock=True)
        if session is None:
            raise ProblemError("session_not_found")
        if session.ended and not ended:
            raise ProblemError("session_ended")
        uow.sessions.cancel(session, arrived_at())
        done = audit.entry(Action.CANCELLED, session_id)
        uow.trail.add(done)
        uow.trail.bury(
            Tombstone(session_id, session.created_at, session.ended_at, arrived_at(), done.key_id or done.who)
        )
        uow.commit()


def find(deps: Resources, session_id: str, at: float) -> Session:
    """The session at `at` (seconds since the epoch), ended first if it is overdue.

    Raises `session_not_found`, also if this caller may not reach the session.
    """
    session_id = known_form(session_id)
    with UnitOfWork(deps.engine, read_only=True) as uow:
        session = uow.sessions.get(session_id)
    if session is not None and session.due is not None and session.due <= at:
        # Locked only here: most calls find nothing to do, and must not wait for a frame that is being judged.
        with UnitOfWork(deps.engine, on_end=deps.endings) as uow:
            session = uow.sessions.get(session_id, lock=True)
            if session is not None:
                session.tick(at, deps.settings.weighing)
                uow.sessions.save(session)
                uow.commit()
    if session is None:
        raise ProblemError("session_not_found")
    refuse_strangers(session)
    return session


def known_form(session_id: str) -> str:
    """The id in lower case; raises `session_not_found` if it does not have the form of one."""
    session_id = session_id.lower()
    if not _ID.fullmatch(session_id):
        raise ProblemError("session_not_found")
    return session_id


def json_of(model: BaseModel, status: int = 200, *, exclude_none: bool = False) -> Response:
    """Answer with a model as JSON, fields in their documented order; `exclude_none` leaves out those without a value."""
    return Response(model.model_dump_json(exclude_none=exclude_none), status, content_type="application/json")
