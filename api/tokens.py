"""Session tokens: what lets a person's client submit frames to one session, and look at it, without any key.

A token is a JWT (HS256) that names its session and dies shortly after it. Only this service reads it, so one symmetric key
is enough.
"""

from __future__ import annotations

from dataclasses import dataclass

import jwt

from api.secret import RootSecret
from shared.liveness.session import Session

#: Seconds after its session's end for which a token still shows how it ended.
GRACE = 60.0
#: Who makes and takes the tokens: nobody else's JWT that happens to be signed by the same secret is one.
ISSUER, AUDIENCE = "liveness", "liveness/session"

_ALGORITHM = "HS256"
_PURPOSE = "session tokens"


class Expired(Exception):
    """It was a token, and its time is over."""


@dataclass(frozen=True, slots=True)
class Token:
    """What a token says."""

    session_id: str
    #: Id of the API key with which it was asked for; None where none was needed.
    key_id: str | None


def looks_like_one(given: str) -> bool:
    """Whether it may be a token; a key never does."""
    return given.startswith("eyJ")


def issue(secret: RootSecret, session: Session, key_id: str | None, at: float) -> str:
    """A token for a session."""
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": session.id, "iat": int(at), "exp": int(session.expires_at + GRACE)}
    if key_id is not None:
        claims["key"] = key_id
    return jwt.encode(claims, secret.key(_PURPOSE), algorithm=_ALGORITHM)


def read(secret: RootSecret, given: str, at: float) -> Token | None:
    """What a token says at `at`; None if it is none of ours. Raises Expired."""
    try:
        claims = jwt.decode(
            given,
            secret.key(_PURPOSE),
            algorithms=[_ALGORITHM],
            issuer=ISSUER,
            audience=AUDIENCE,
            # By the service's own time, below: this machine's clock may differ.
            options={"require": ["sub", "exp"], "verify_exp": False, "verify_iat": False, "verify_nbf": False},
        )
        expires_at = float(claims["exp"])
    except (jwt.InvalidTokenError, TypeError, ValueError):
        return None
    if at >= expires_at:
        raise Expired
    return Token(str(claims["sub"]), claims.get("key"))
