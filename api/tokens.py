"""Session tokens: with one, a person's client submits frames to one session and looks at it, without an API key.

A token is a JWT (HS256) that names its session and expires shortly after it. Only this service reads it, so a symmetric
key is enough.
"""

from __future__ import annotations

from dataclasses import dataclass

import jwt

from shared.db.root_secret import RootSecret
from shared.liveness.session import Session

#: Seconds for which a token is valid after its session has expired, so that a client can see how it ended.
GRACE = 60.0
#: Issuer and audience of the tokens: another JWT that is signed with the same secret is not a token.
ISSUER, AUDIENCE = "liveness", "liveness/session"

_ALGORITHM = "HS256"
_PURPOSE = "session tokens"


class Expired(Exception):
    """The token is genuine and has expired."""


@dataclass(frozen=True, slots=True)
class Token:
    """The contents of a token."""

    session_id: str
    #: Id of the API key that the token was issued with; None if no key was required.
    key_id: str | None


def looks_like_one(given: str) -> bool:
    """Whether a credential may be a token: API keys never begin like a JWT."""
    return given.startswith("eyJ")


def issue(secret: RootSecret, session: Session, key_id: str | None, at: float) -> str:
    """Issue a token for a session, at `at` in seconds since the epoch."""
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": session.id, "iat": int(at), "exp": int(session.expires_at + GRACE)}
    if key_id is not None:
        claims["key"] = key_id
    return jwt.encode(claims, secret.key(_PURPOSE), algorithm=_ALGORITHM)


def read(secret: RootSecret, given: str, at: float) -> Token | None:
    """The contents of a token; None if it is not one of this service. Raises Expired if its time is over at `at`."""
    try:
        claims = jwt.decode(
            given,
            secret.key(_PURPOSE),
            algorithms=[_ALGORITHM],
            issuer=ISSUER,
            audience=AUDIENCE,
            # Checked below by the service's time: this machine's clock may differ.
            options={"require": ["sub", "exp"], "verify_exp": False, "verify_iat": False, "verify_nbf": False},
        )
        expires_at = float(claims["exp"])
    except (jwt.InvalidTokenError, TypeError, ValueError):
        return None
    if at >= expires_at:
        raise Expired
    return Token(str(claims["sub"]), claims.get("key"))
