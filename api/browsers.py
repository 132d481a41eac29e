"""The browser that a session's token belongs to: the first that used it.

A link to the page holds a token, and could be handed on to somebody else. The page makes a secret and sends it with every
request; the first request that carries one binds the token to it, and from then on the token is refused without it. Clients
that send none use a token that is not bound. Keys are not bound.
"""

from __future__ import annotations

import hashlib
import hmac
import re

from flask import request

from api.problems import ProblemError
from api.resources import resources
from shared.db import UnitOfWork
from shared.liveness.session import Session

#: The header that carries the browser's secret.
HEADER = "Liveness-Browser"

#: The form of a secret: too long to be guessed, if it is random.
_SECRET = re.compile(r"[A-Za-z0-9_-]{22,128}")


def refuse_others(session: Session) -> None:
    """Raise `other_browser` unless the session's token is this browser's, or is not bound and need not be.

    A process may remember a session as unbound for up to `api.session_cache.TRUST` seconds after another process has bound
    it; meanwhile it lets requests without a secret through.
    """
    given = request.headers.get(HEADER)
    if given is None and session.browser is None:
        return
    if given is None or not _SECRET.fullmatch(given):
        raise ProblemError("other_browser")
    digest = hashlib.sha256(f"{session.id}\0{given}".encode()).hexdigest()
    bound = session.browser or _bind(session.id, digest)
    if bound is not None and not hmac.compare_digest(bound, digest):
        raise ProblemError("other_browser")


def _bind(session_id: str, digest: str) -> str | None:
    deps = resources()
    with UnitOfWork(deps.engine) as uow:
        bound = uow.sessions.bind(session_id, digest)
        uow.commit()
    deps.session_cache.forget(session_id)  # it is remembered as unbound
    return bound
