"""Who may do what, in one table, and the one place where a caller is asked who it is.

A caller is whoever shows an API key, or nobody in particular where no key is asked for. docs/access.md is this table for
people. A route below /api that ACTS does not name is for servers alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import cast

import structlog
from flask import Flask, current_app, g, request
from sqlalchemy.exc import SQLAlchemyError

from api.keyring import KeyRing
from api.problems import ProblemError
from api.resources import resources, resources_of
from api.uploads import body_limit, refuse_large_body
from shared.keys import Role
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
    OWN = "own"


#: Who may do what. What is not in it is forbidden.
MAY: dict[Role, dict[Act, Reach]] = {
    Role.SERVER: dict.fromkeys(Act, Reach.ALL),
    Role.CLIENT: dict.fromkeys((Act.CREATE, Act.LOOK, Act.FRAME, Act.CANCEL), Reach.OWN),
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

    role: Role
    #: Id of the API key; None where none is asked for.
    key_id: str | None = None


#: Whoever asks while no key is asked for.
ANYONE = Caller(Role.SERVER)


def install(app: Flask) -> None:
    """Have the app ask every caller of a guarded route who it is, before anything else is done for it."""
    app.extensions["keyring"] = KeyRing(lambda: resources_of(app).engine)
    app.before_request(_guard)


def caller() -> Caller:
    """Who made this request; only in guarded routes."""
    return cast("Caller", g.caller)


def refuse_strangers(session: Session) -> None:
    """Raise "unknown session" where this request's caller may not reach it: that there is one is not told either."""
    who = caller()
    if MAY[who.role].get(_act()) is not Reach.ALL and session.owner != who.key_id:
        raise ProblemError("session_not_found")


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
    g.caller = _identify()
    if act not in MAY[g.caller.role]:
        raise ProblemError("forbidden")


def _identify() -> Caller:
    ring, mode = _keyring(current_app), resources().settings.auth
    if mode == "off" or (mode == "auto" and ring.empty()):
        return ANYONE  # whatever it shows
    shown = request.authorization
    if shown is None or shown.type != "bearer" or not shown.token:
        raise ProblemError("key_missing")
    key = ring.find(shown.token)
    if key is None:
        raise ProblemError("key_unknown")
    structlog.contextvars.bind_contextvars(key_id=key.id)
    return Caller(key.role, key.id)


def _act() -> Act:
    return ACTS.get(request.endpoint or "", Act.MANAGE)


def _keyring(app: Flask) -> KeyRing:
    return cast("KeyRing", app.extensions["keyring"])
