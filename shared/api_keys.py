"""API keys: creates keys, and checks a given key against the stored one.

A key is `lk_ID_SECRET`. The id names the key in lists, logs and the audit trail; the secret is 256 random bits. Only the
SHA-256 of the whole key is stored: a slow hash (argon2, scrypt) protects secrets that people choose, but 256 random bits
cannot be guessed, and a key is checked with every frame.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, replace
from enum import StrEnum

#: Prefix of every key, by which secret scanners and `shared.telemetry.scrub` recognise one.
PREFIX = "lk_"

_KEY = re.compile(rf"{PREFIX}([0-9a-f]{{12}})_[A-Za-z0-9_-]{{43}}")


class Role(StrEnum):
    """The role of a key; `api.access` lists what each role may do."""

    #: For the relying party's backend: everything.
    SERVER = "server"
    #: For an app on people's devices, from which the key can be extracted: its own sessions only, no evidence.
    CLIENT = "client"


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is stored. Times are in seconds since the epoch."""

    id: str
    #: Name for people, such as the program that uses the key.
    name: str
    role: Role
    #: SHA-256 of the whole key, in hexadecimal.
    digest: str
    created_at: float
    revoked_at: float | None = None
    #: When the key ceases to be valid; None: never.
    expires_at: float | None = None
    #: A time of use, little before the latest; None if the key was never used.
    last_used_at: float | None = None
    #: The digest before the latest rotation, and when that secret ceases to be valid; None if there is none.
    former_digest: str | None = None
    former_until: float | None = None
    #: Bounds of what the key may ask for (`shared.policy`), beside POLICY and in place of CLIENT_POLICY.
    policy: str | None = None

    def valid(self, at: float) -> bool:
        """Whether the key has neither been revoked nor expired at `at`."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)

    def opens(self, given: str, at: float) -> bool:
        """Whether `given` is this key, or the key before its rotation, and valid at `at`; compared in constant time."""
        shown = digest(given)
        current = hmac.compare_digest(self.digest, shown)
        former = hmac.compare_digest(self.former_digest or "", shown) and at < (self.former_until or 0.0)
        return (current or former) and self.valid(at)


def make(name: str, role: Role, at: float, expires_at: float | None = None) -> tuple[str, Key]:
    """Create a key: returns the text that its user is given once, and the key to store; at: the time of creation."""
    key_id = secrets.token_hex(6)
    given = _new_secret(key_id)
    return given, Key(key_id, name, role, digest(given), at, expires_at=expires_at)


def rotate(key: Key, at: float, overlap: float, expires_at: float | None) -> tuple[str, Key]:
    """Give a key another secret: returns the text that its user is given once, and the key to store.

    The id stays, and with it the key's sessions, tokens and limits. overlap: seconds for which the former secret stays
    valid too; it ends with its own expiry at the latest. expires_at: when the key ceases to be valid.
    """
    given = _new_secret(key.id)
    until = at + overlap if key.expires_at is None else min(at + overlap, key.expires_at)
    return given, replace(
        key, digest=digest(given), former_digest=key.digest, former_until=until, expires_at=expires_at
    )


def id_of(given: str) -> str | None:
    """The id in a given key; None if the text does not have the form of a key."""
    found = _KEY.fullmatch(given)
    return None if found is None else found[1]


def _new_secret(key_id: str) -> str:
    return f"{PREFIX}{key_id}_{secrets.token_urlsafe(32)}"


def digest(given: str) -> str:
    """The SHA-256 of a key in hexadecimal, which is stored in its place."""
    return hashlib.sha256(given.encode()).hexdigest()
