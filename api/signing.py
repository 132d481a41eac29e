"""The keys that verdicts are signed with: made, sealed, kept in the database, changed. ADR 7 says why so.

Private keys are sealed (AES-256-GCM) with a key derived from the service's root secret (`api.secret`): with TOKEN_SECRET
set, a copy of the database signs nothing.
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
from shared.db.signing import SigningKey

ALGORITHM = "ES256"

#: Seconds for which others may remember the published keys.
REMEMBERED = 300
#: Seconds from a new key's publication to its first signature: by then whoever remembers has looked again.
NOTICE = 2 * REMEMBERED
#: Seconds for which a key stays published after it has been followed by another. Longer than a verdict's life.
KEPT = 86400.0

_PURPOSE = "verdict keys"
_NONCE = 12


def make(secret: RootSecret, at: float, signs_from: float) -> SigningKey:
    """A new pair of keys."""
    private = ec.generate_private_key(ec.SECP256R1())
    jwk = ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
    kid = _thumbprint(jwk)
    public = {**{name: jwk[name] for name in ("kty", "crv", "x", "y")}, "kid": kid, "use": "sig", "alg": ALGORITHM}
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    nonce = os.urandom(_NONCE)
    sealed = nonce + AESGCM(secret.key(_PURPOSE)).encrypt(nonce, pem, kid.encode())
    return SigningKey(kid, public, sealed, at, signs_from)


def published(engine: Engine, at: float) -> list[dict[str, Any]]:
    """The public keys that others need at `at`: of verdicts that are still valid, of those to come."""
    with UnitOfWork(engine, read_only=True) as uow:
        keys = uow.signing_keys.all()
    following = [*keys[1:], None][: len(keys)]  # there is none before the first verdict
    return [key.public for key, after in zip(keys, following, strict=True) if not after or after.signs_from > at - KEPT]


def sign(engine: Engine, secret: RootSecret, claims: dict[str, Any], kind: str, at: float) -> str:
    """The claims as a JWS in compact form, of the type `kind`, by the key whose time it is; made when there is none."""
    with UnitOfWork(engine, read_only=True) as uow:
        keys = uow.signing_keys.all()
    for key in reversed([key for key in keys if key.signs_from <= at]):
        if (pem := _unsealed(secret, key)) is not None:
            return jwt.encode(claims, pem, algorithm=ALGORITHM, headers={"kid": key.kid, "typ": kind})
    rotate(engine, secret, at, 0.0)
    return sign(engine, secret, claims, kind, at)


def rotate(engine: Engine, secret: RootSecret, at: float, notice: float = NOTICE) -> SigningKey:
    """Make the next key: published at once, signing after `notice` seconds."""
    key = make(secret, at, at + notice)  # before the unit: it may have to make the secret, in a unit of its own
    with UnitOfWork(engine) as uow:
        uow.signing_keys.add(key)
        uow.commit()
    return key


def _unsealed(secret: RootSecret, key: SigningKey) -> bytes | None:
    """The private key; None where it was sealed with another TOKEN_SECRET."""
    try:
        return AESGCM(secret.key(_PURPOSE)).decrypt(key.sealed[:_NONCE], key.sealed[_NONCE:], key.kid.encode())
    except InvalidTag:
        return None


def _thumbprint(jwk: dict[str, Any]) -> str:
    """RFC 7638."""
    needed = json.dumps({name: jwk[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"), sort_keys=True)
    return base64.urlsafe_b64encode(hashlib.sha256(needed.encode()).digest()).rstrip(b"=").decode()
