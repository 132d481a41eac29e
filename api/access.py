"""Access: the table of who may do what, and the identification of callers.

A caller shows an API key or a session's token, or is anyone while no key is required. docs/access.md explains the table
to people. A route below /api that `ACTS` does not name is for servers alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import cast

import structlog
from flask import Flask, current_app, g, request
from sqlalchemy.exc import SQLAlchemyError

from api import browsers, tokens
from api.context import arrived_at
from api.keyring import KeyRing
from api.problems import ProblemError
from api.refusals import refusal
from api.resources import resources, resources_of
from api.uploads import body_limit, refuse_large_body
from shared.db.root_secret import RootSecret
from shared.liveness.session import Session

log = structlog.get_logger(__name__)

#: Prefix of the paths that need a caller; the others (pages, documentation, health) are for everyone.
GUARDED = "/api/"


class Act(StrEnum):
    """An action of a caller."""

    CREATE = "create a session"
    LOOK = "look at a session"
    FRAME = "submit a frame"
    CANCEL = "cancel a session"
    EVIDENCE = "read a session's evidence"
    PORTRAIT = "fetch a portrait"
    MANAGE = "anything else"


class Reach(Enum):
    """The sessions that an action is allowed on."""

    #: All sessions.
    ALL = "all"
    #: Sessions created with the same key.
    KEY_S = "the key's own"
    #: The session that the token was issued for.
    TOKEN_S = "the token's own"  # noqa: S105 - no password


class Who(StrEnum):
    """The kind of a caller."""

    #: Holds a key of the role `server`.
    SERVER = "server"
    #: Holds a key of the role `client`.
    CLIENT = "client"
    #: Holds the token of a session.
    SESSION = "session"


#: The actions that each kind of caller may do, and on which sessions. All others are forbidden.
MAY: dict[Who, dict[Act, Reach]] = {
    Who.SERVER: dict.fromkeys(Act, Reach.ALL),
    Who.CLIENT: dict.fromkeys((Act.CREATE, Act.LOOK, Act.FRAME, Act.CANCEL), Reach.KEY_S),
    Who.SESSION: dict.fromkeys((Act.LOOK, Act.FRAME, Act.CANCEL), Reach.TOKEN_S),
}

#: The action of each endpoint.
ACTS = {
    "sessions.create_session": Act.CREATE,
    "sessions.get_session": Act.LOOK,
    "frames.submit_frame": Act.FRAME,
    "sessions.cancel_session": Act.CANCEL,
    "evidence.get_evidence": Act.EVIDENCE,
    "portraits.get_portrait": Act.PORTRAIT,
    "portraits.delete_portrait": Act.PORTRAIT,
}


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of a request."""

    who: Who
    #: Id of the API key, or of the key that the token was issued with; None if no key is required.
    key_id: str | None = None
    #: The session of a token; None for a key.
    session_id: str | None = None
    #: The policy of the API key itself (`api.policies`); None if it has none.
    policy: str | None = None


#: Every caller while no key is required.
ANYONE = Caller(Who.SERVER)


def install(app: Flask) -> None:
    """Have the app identify the caller of every guarded route before the route's function is called."""
    deps = resources_of(app)
    app.extensions["keyring"] = KeyRing(lambda: deps.engine)
    app.extensions["secret"] = RootSecret(lambda: deps.engine, deps.settings.token_secret)
    app.before_request(_guard)


def caller() -> Caller:
    """The caller of this request; in guarded routes only."""
    return cast("Caller", g.caller)


def refuse_strangers(session: Session) -> None:
    """Raise `session_not_found` if this caller may not reach the session: its existence is not told.

    Raises `other_browser` if the caller's token belongs to another browser.
    """
    if MAY[caller().who].get(_act()) is Reach.KEY_S and session.owner != caller().key_id:
        raise ProblemError("session_not_found")
    if caller().who is Who.SESSION:
        browsers.refuse_others(session)


def sees_verdict() -> bool:
    """Whether the answer to this caller may carry the final verdict."""
    return caller().who is Who.SERVER or resources().settings.client_sees_verdict


def secret() -> RootSecret:
    """The root secret of the app that handles this request."""
    return cast("RootSecret", current_app.extensions["secret"])


def is_open() -> bool:
    """Whether no key is asked for. Raises SQLAlchemyError if the keys cannot be read."""
    mode = resources().settings.auth
    return mode == "off" or (mode == "auto" and keyring_of(current_app).open())


def announce(app: Flask) -> None:
    """Log whether keys are required, as a warning if they are not."""
    mode = resources_of(app).settings.auth
    try:
        if mode == "off":
            log.warning("access.open", reason="AUTH=off: anyone who reaches this service may use all of it")
        elif mode == "auto" and keyring_of(app).open():
            log.warning(
                "access.open",
                reason="no API key has been made yet: anyone who reaches this service may use all of it; without BIND, "
                "anyone on this machine. `ops/keys create` makes the first key and closes it; AUTH=required closes it at "
                "once",
            )
        else:
            log.info("access.keys_asked_for")
    except SQLAlchemyError as error:
        log.warning("access.unknown", reason="the keys cannot be read yet", error=str(error))


def _guard() -> None:
    if request.url_rule is None or not request.url_rule.rule.startswith(GUARDED) or request.method == "OPTIONS":
        return
    act = _act()
    # A body that announces too large a size is refused before the look at keys.
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
    if is_open():
        return ANYONE  # even with a key that is wrong
    ring = keyring_of(current_app)
    given = request.authorization
    if given is None or given.type != "bearer" or not given.token:
        raise refusal("key_missing")
    found = _by_token(ring, given.token) if tokens.looks_like_one(given.token) else _by_key(ring, given.token)
    if found.key_id is not None:
        structlog.contextvars.bind_contextvars(key_id=found.key_id)
    return found


def _by_key(ring: KeyRing, given: str) -> Caller:
    key = ring.find(given, arrived_at())
    if key is None:
        raise refusal("key_unknown", given)
    return Caller(Who(key.role.value), key.id, policy=key.policy)


def _by_token(ring: KeyRing, given: str) -> Caller:
    try:
        token = tokens.read(secret(), given, arrived_at())
    except tokens.Expired:
        raise refusal("token_expired") from None
    # A token ends with the key that it was issued with.
    if token is None or (token.key_id is not None and not ring.holds(token.key_id, arrived_at())):
        raise refusal("token_unknown")
    return Caller(Who.SESSION, token.key_id, token.session_id)


def _act() -> Act:
    return ACTS.get(request.endpoint or "", Act.MANAGE)


def keyring_of(app: Flask) -> KeyRing:
    """The API keys as this process knows them."""
    return cast("KeyRing", app.extensions["keyring"])
