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
from dataclasses import dataclass
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

    def opens(self, given: str) -> bool:
        """Whether `given` is this key and the key has not been revoked; compared in constant time."""
        return hmac.compare_digest(self.digest, digest(given)) and self.revoked_at is None


def make(name: str, role: Role, at: float) -> tuple[str, Key]:
    """Create a key: returns the text that its user is given once, and the key to store; at: the time of creation."""
    key_id = secrets.token_hex(6)
    given = f"{PREFIX}{key_id}_{secrets.token_urlsafe(32)}"
    return given, Key(key_id, name, role, digest(given), at)


def id_of(given: str) -> str | None:
    """The id in a given key; None if the text does not have the form of a key."""
    found = _KEY.fullmatch(given)
    return None if found is None else found[1]


def digest(given: str) -> str:
    """The SHA-256 of a key in hexadecimal, which is stored in its place."""
    return hashlib.sha256(given.encode()).hexdigest()
