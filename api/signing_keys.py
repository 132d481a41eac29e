"""The keys that sign verdicts: made, sealed, stored in the database and rotated. ADR 7 explains the design.

Private keys are sealed (AES-256-GCM) with a key derived from the root secret (`shared.db.root_secret`): while TOKEN_SECRET
is set, a copy of the database cannot sign.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from typing import Any, Literal

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt.algorithms import ECAlgorithm
from jwt.types import Options
from sqlalchemy import Engine

from shared.db import UnitOfWork
from shared.db.root_secret import RootSecret
from shared.db.signing_keys import SigningKey
from shared.db.trail import Action, Entry

ALGORITHM = "ES256"

#: Seconds for which others may cache the published keys.
REMEMBERED = 300
#: Seconds from a new key's publication to its first signature: by then every cache has been renewed.
NOTICE = 2 * REMEMBERED
#: Seconds for which a key stays published after the next one signs; longer than a verdict is valid.
KEPT = 86400.0

#: Why `verify` finds a text invalid.
Reason = Literal["malformed", "unknown_key", "revoked_key", "bad_signature", "other_issuer", "expired"]

_PURPOSE = "verdict keys"


def make(secret: RootSecret, at: float, signs_from: float) -> SigningKey:
    """Make a pair of keys; `at` and `signs_from` are seconds since the epoch."""
    private = ec.generate_private_key(ec.SECP256R1())
    jwk = ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
    kid = _thumbprint(jwk)
    public = {**{name: jwk[name] for name in ("kty", "crv", "x", "y")}, "kid": kid, "use": "sig", "alg": ALGORITHM}
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return SigningKey(kid, public, secret.seal(_PURPOSE, pem, kid), at, signs_from)


def published(engine: Engine, at: float) -> list[dict[str, Any]]:
    """The public keys needed at `at`, as JWKs: those of verdicts that are still valid, and those to come."""
    with UnitOfWork(engine, read_only=True) as uow:
        keys = [key for key in uow.signing_keys.all() if key.revoked_at is None]
    following = [*keys[1:], None][: len(keys)]  # empty before the first verdict
    return [key.public for key, after in zip(keys, following, strict=True) if not after or after.signs_from > at - KEPT]


def sign(engine: Engine, secret: RootSecret, claims: dict[str, Any], kind: str, at: float) -> str:
    """Sign claims as a compact JWS whose header `typ` is `kind`.

    The key is the newest whose time has come, that is not revoked and that can be unsealed; it is made if there is none,
    with an entry in the audit trail.
    """
    with UnitOfWork(engine, read_only=True) as uow:
        keys = [key for key in uow.signing_keys.all() if key.revoked_at is None]
    for key in reversed([key for key in keys if key.signs_from <= at]):
        if (pem := _unsealed(secret, key)) is not None:
            return jwt.encode(claims, pem, algorithm=ALGORITHM, headers={"kid": key.kid, "typ": kind})
    rotate(engine, secret, at, 0.0, entry=Entry(at, Action.VERDICT_KEY_CREATED, "", "service", None, "unknown", ""))
    return sign(engine, secret, claims, kind, at)


def rotate(engine: Engine, secret: RootSecret, at: float, notice: float = NOTICE, *, entry: Entry) -> SigningKey:
    """Make the next key: published at once, signing after `notice` seconds. entry: for the audit trail, without a target."""
    key = make(secret, at, at + notice)  # before the unit of work: it may make the root secret in another one
    with UnitOfWork(engine) as uow:
        uow.signing_keys.add(key)
        uow.trail.add(replace(entry, target=key.kid))
        uow.commit()
    return key


def revoke(engine: Engine, secret: RootSecret, kid: str, at: float, *, entry: Entry) -> bool:
    """Revoke a key, and make another that signs at once if it was the one that signs; both with `entry` in the audit trail.

    False if there is no key with this id, or it was revoked before.
    """
    successor = make(secret, at, at)  # before the unit of work: it may make the root secret in another one
    with UnitOfWork(engine) as uow:
        signing = [key.kid for key in uow.signing_keys.all() if key.revoked_at is None and key.signs_from <= at][-1:]
        if not uow.signing_keys.revoke(kid, at):
            return False
        uow.trail.add(replace(entry, action=Action.VERDICT_KEY_REVOKED, target=kid))
        if signing == [kid]:
            uow.signing_keys.add(successor)
            uow.trail.add(replace(entry, action=Action.VERDICT_KEY_CREATED, target=successor.kid))
        uow.commit()
    return True


def revoked(engine: Engine) -> list[SigningKey]:
    """All keys that were ever revoked."""
    with UnitOfWork(engine, read_only=True) as uow:
        return [key for key in uow.signing_keys.all() if key.revoked_at is not None]


class Invalid(Exception):
    """Raised for a text that is no valid JWS of this service. The reason says why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def verify(engine: Engine, text: str, kind: str, issuer: str, at: float) -> dict[str, Any]:
    """The claims of a compact JWS that `sign` has made, if it is valid at `at`. Raises Invalid.

    Every key that was ever made counts, also one that is no longer published, but none that was revoked.
    """
    try:
        header = jwt.get_unverified_header(text)
    except jwt.InvalidTokenError:
        raise Invalid("malformed") from None
    if header.get("typ") != kind or header.get("alg") != ALGORITHM:
        raise Invalid("malformed")
    with UnitOfWork(engine, read_only=True) as uow:
        key = next((key for key in uow.signing_keys.all() if key.kid == header.get("kid")), None)
    if key is None:
        raise Invalid("unknown_key")
    if key.revoked_at is not None:
        raise Invalid("revoked_key")
    # The times are checked here: PyJWT would take its own clock. An audience is the relying party's own matter.
    unchecked: Options = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False}
    try:
        claims: dict[str, Any] = jwt.decode(text, jwt.PyJWK(key.public), algorithms=[ALGORITHM], options=unchecked)
    except jwt.InvalidSignatureError:
        raise Invalid("bad_signature") from None
    except jwt.InvalidTokenError:
        raise Invalid("malformed") from None
    if claims.get("iss") != issuer:
        raise Invalid("other_issuer")
    if not claims.get("nbf", 0) <= at < claims["exp"]:
        raise Invalid("expired")
    return claims


def _unsealed(secret: RootSecret, key: SigningKey) -> bytes | None:
    """The private key as PEM; None if it was sealed with another TOKEN_SECRET."""
    return secret.unseal(_PURPOSE, key.sealed, key.kid)


def _thumbprint(jwk: dict[str, Any]) -> str:
    """The JWK thumbprint of RFC 7638, base64url."""
    needed = json.dumps({name: jwk[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"), sort_keys=True)
    return base64.urlsafe_b64encode(hashlib.sha256(needed.encode()).digest()).rstrip(b"=").decode()
