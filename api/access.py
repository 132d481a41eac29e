"""Who may do what, in one table, and the one place where a caller is asked who it is.

A caller is whoever shows an API key or a session's token, or nobody in particular where no key is asked for.
docs/access.md is this table for people. A route below /api that ACTS does not name is for servers alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import cast

import structlog
from flask import Flask, current_app, g, request
from sqlalchemy.exc import SQLAlchemyError

from api import tokens
from api.context import arrived_at
from api.keyring import KeyRing
from api.problems import ProblemError
from api.resources import resources, resources_of
from api.secret import RootSecret
from api.uploads import body_limit, refuse_large_body
from shared.liveness.session import Session

log = structlog.get_logger(__name__)

#: Below here callers are asked who they are; what lies elsewhere (pages, documentation, health) is for everyone.
GUARDED = "/api/"


class Act(StrEnum):
    """What somebody may want to do."""

    CREATE = "create a session"
    LOOK = "look at a session"
    FRAME = "submit a frame"
    CANCEL = "cancel a session"
    EVIDENCE = "read a session's evidence"
    PORTRAIT = "fetch a portrait"
    MANAGE = "anything else"


class Reach(Enum):
    """Of which sessions."""

    #: Of all, however they were created.
    ALL = "all"
    #: Of those created with the same key.
    KEY_S = "the key's own"
    #: Of the one that the token was given with.
    TOKEN_S = "the token's own"  # noqa: S105 - no password


class Who(StrEnum):
    """What a caller is."""

    #: Has a key of the role `server`.
    SERVER = "server"
    #: Has a key of the role `client`.
    CLIENT = "client"
    #: Has the token of a session.
    SESSION = "session"


#: Who may do what. What is not in it is forbidden.
MAY: dict[Who, dict[Act, Reach]] = {
    Who.SERVER: dict.fromkeys(Act, Reach.ALL),
    Who.CLIENT: dict.fromkeys((Act.CREATE, Act.LOOK, Act.FRAME, Act.CANCEL), Reach.KEY_S),
    Who.SESSION: dict.fromkeys((Act.LOOK, Act.FRAME), Reach.TOKEN_S),
}

#: What each endpoint does.
ACTS = {
    "sessions.create_session": Act.CREATE,
    "sessions.get_session": Act.LOOK,
    "frames.submit_frame": Act.FRAME,
    "sessions.cancel_session": Act.CANCEL,
    "evidence.get_evidence": Act.EVIDENCE,
    "portraits.get_portrait": Act.PORTRAIT,
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks."""

    who: Who
    #: Id of the API key, or of the one that a token was asked for with; None where none is asked for.
    key_id: str | None = None
    #: The one session of a token.
    session_id: str | None = None


#: Whoever asks while no key is asked for.
ANYONE = Caller(Who.SERVER)


def install(app: Flask) -> None:
    """Have the app ask every caller of a guarded route who it is, before anything else is done for it."""
    deps = resources_of(app)
    app.extensions["keyring"] = KeyRing(lambda: deps.engine)
    app.extensions["secret"] = RootSecret(lambda: deps.engine, deps.settings.token_secret)
    app.before_request(_guard)


def caller() -> Caller:
    """Who made this request; only in guarded routes."""
    return cast("Caller", g.caller)


def refuse_strangers(session: Session) -> None:
    """Raise "unknown session" where this request's caller may not reach it: that there is one is not told either."""
    if MAY[caller().who].get(_act()) is Reach.KEY_S and session.owner != caller().key_id:
        raise ProblemError("session_not_found")


def sees_verdict() -> bool:
    """Whether the answer to this request's caller may carry the final verdict."""
    return caller().who is Who.SERVER or resources().settings.client_sees_verdict


def secret() -> RootSecret:
    """From which the keys of the app that handles this request are derived."""
    return cast("RootSecret", current_app.extensions["secret"])


def announce(app: Flask) -> None:
    """Say in the log, loudly, when everyone may do everything."""
    mode = resources_of(app).settings.auth
    try:
        if mode == "off":
            log.warning("access.open", reason="AUTH=off: whoever reaches this service may use all of it")
        elif mode == "auto" and _keyring(app).empty():
            log.warning(
                "access.open",
                reason="no API key has been made yet: whoever reaches this service may use all of it. `ops/keys create` "
                "makes the first and closes it; AUTH=required closes it at once",
            )
        else:
            log.info("access.keys_asked_for")
    except SQLAlchemyError as error:
        log.warning("access.unknown", reason="the keys cannot be read yet", error=str(error))


def _guard() -> None:
    if request.url_rule is None or not request.url_rule.rule.startswith(GUARDED) or request.method == "OPTIONS":
        return
    act = _act()
    # What says at its beginning that it is too large is refused before it costs a look at keys.
    if act in (Act.CREATE, Act.FRAME):
        refuse_large_body(request, resources().settings)
    elif (request.content_length or 0) > body_limit(resources().settings):
        raise ProblemError("body_too_large")
    g.caller = who = _identify()
    reach = MAY[who.who].get(act)
    if reach is None:
        raise ProblemError("forbidden")
    if reach is Reach.TOKEN_S and str((request.view_args or {}).get("session_id")).lower() != who.session_id:
        raise ProblemError("other_session")


def _identify() -> Caller:
    ring, mode = _keyring(current_app), resources().settings.auth
    if mode == "off" or (mode == "auto" and ring.empty()):
        return ANYONE  # whatever it shows
    shown = request.authorization
    if shown is None or shown.type != "bearer" or not shown.token:
        raise ProblemError("key_missing")
    found = _by_token(ring, shown.token) if tokens.looks_like_one(shown.token) else _by_key(ring, shown.token)
    if found.key_id is not None:
        structlog.contextvars.bind_contextvars(key_id=found.key_id)
    return found


def _by_key(ring: KeyRing, given: str) -> Caller:
    key = ring.find(given)
    if key is None:
        raise ProblemError("key_unknown")
    return Caller(Who(key.role.value), key.id)


def _by_token(ring: KeyRing, given: str) -> Caller:
    try:
        token = tokens.read(secret(), given, arrived_at())
    except tokens.Expired:
        raise ProblemError("token_expired") from None
    # A token dies with the key that it was asked for with.
    if token is None or (token.key_id is not None and not ring.holds(token.key_id)):
        raise ProblemError("token_unknown")
    return Caller(Who.SESSION, token.key_id, token.session_id)


def _act() -> Act:
    return ACTS.get(request.endpoint or "", Act.MANAGE)


def _keyring(app: Flask) -> KeyRing:
    return cast("KeyRing", app.extensions["keyring"])
