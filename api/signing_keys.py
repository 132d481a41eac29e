"""The keys that sign verdicts: made, sealed, stored in the database and rotated. ADR 7 explains the design.

Private keys are sealed (AES-256-GCM) with a key derived from the root secret (`api.secret`): while TOKEN_SECRET is set, a
copy of the database cannot sign.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from typing import Any

import jwt
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt.algorithms import ECAlgorithm
from sqlalchemy import Engine

from api.secret import RootSecret
from shared.db import UnitOfWork
from shared.db.signing_keys import SigningKey

ALGORITHM = "ES256"

#: Seconds for which others may cache the published keys.
REMEMBERED = 300
#: Seconds from a new key's publication to its first signature: by then every cache has been renewed.
NOTICE = 2 * REMEMBERED
#: Seconds for which a key stays published after the next one signs; longer than a verdict is valid.
KEPT = 86400.0

_PURPOSE = "verdict keys"
_NONCE = 12


def make(secret: RootSecret, at: float, signs_from: float) -> SigningKey:
    """Make a pair of keys; `at` and `signs_from` are seconds since the epoch."""
    private = ec.generate_private_key(ec.SECP256R1())
    jwk = ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
    kid = _thumbprint(jwk)
    public = {**{name: jwk[name] for name in ("kty", "crv", "x", "y")}, "kid": kid, "use": "sig", "alg": ALGORITHM}
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    nonce = os.urandom(_NONCE)
    sealed = nonce + AESGCM(secret.key(_PURPOSE)).encrypt(nonce, pem, kid.encode())
    return SigningKey(kid, public, sealed, at, signs_from)


def published(engine: Engine, at: float) -> list[dict[str, Any]]:
    """The public keys needed at `at`, as JWKs: those of verdicts that are still valid, and those to come."""
    with UnitOfWork(engine, read_only=True) as uow:
        keys = uow.signing_keys.all()
    following = [*keys[1:], None][: len(keys)]  # empty before the first verdict
    return [key.public for key, after in zip(keys, following, strict=True) if not after or after.signs_from > at - KEPT]


def sign(engine: Engine, secret: RootSecret, claims: dict[str, Any], kind: str, at: float) -> str:
    """Sign claims as a compact JWS whose header `typ` is `kind`.

    The key is the newest whose time has come and that can be unsealed; it is made if there is none.
    """
    with UnitOfWork(engine, read_only=True) as uow:
        keys = uow.signing_keys.all()
    for key in reversed([key for key in keys if key.signs_from <= at]):
        if (pem := _unsealed(secret, key)) is not None:
            return jwt.encode(claims, pem, algorithm=ALGORITHM, headers={"kid": key.kid, "typ": kind})
    rotate(engine, secret, at, 0.0)
    return sign(engine, secret, claims, kind, at)


def rotate(engine: Engine, secret: RootSecret, at: float, notice: float = NOTICE) -> SigningKey:
    """Make the next key: published at once, signing after `notice` seconds."""
    key = make(secret, at, at + notice)  # before the unit of work: it may make the root secret in another one
    with UnitOfWork(engine) as uow:
        uow.signing_keys.add(key)
        uow.commit()
    return key


def _unsealed(secret: RootSecret, key: SigningKey) -> bytes | None:
    """The private key as PEM; None if it was sealed with another TOKEN_SECRET."""
    try:
        return AESGCM(secret.key(_PURPOSE)).decrypt(key.sealed[:_NONCE], key.sealed[_NONCE:], key.kid.encode())
    except InvalidTag:
        return None


def _thumbprint(jwk: dict[str, Any]) -> str:
    """The JWK thumbprint of RFC 7638, base64url."""
    needed = json.dumps({name: jwk[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"), sort_keys=True)
    return base64.urlsafe_b64encode(hashlib.sha256(needed.encode()).digest()).rstrip(b"=").decode()
