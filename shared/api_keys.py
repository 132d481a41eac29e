"""API keys: how one is made, and what is kept of it.

A key is `lk_ID_SECRET`: the id names it in lists, logs and the audit trail; the secret is 256 bits of the operating
system's randomness. Kept is the SHA-256 of the whole key. A slow hash (argon2, scrypt) makes guessing dear where people
choose the secret; nobody guesses 256 random bits, and a key is checked with every frame.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from enum import StrEnum

#: What every key begins with, so that scanners of source code (and `shared.telemetry.scrub`) know one when they see it.
PREFIX = "lk_"

_KEY = re.compile(rf"{PREFIX}([0-9a-f]{{12}})_[A-Za-z0-9_-]{{43}}")


class Role(StrEnum):
    """What a key is for; `api.access` says what each may do."""

    #: In the relying party's backend: everything.
    SERVER = "server"
    #: In an app that people have in their hands, from where it can be taken: sessions of its own, no evidence.
    CLIENT = "client"


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is kept. Times in seconds since the epoch."""

    id: str
    #: For people: what it is used by.
    name: str
    role: Role
    #: SHA-256 of the whole key, in hexadecimal.
    digest: str
    created_at: float
    revoked_at: float | None = None

    def opens(self, given: str) -> bool:
        """Whether what was given is this key, and it has not been revoked; takes as long whatever was given."""
        return hmac.compare_digest(self.digest, digest(given)) and self.revoked_at is None


def make(name: str, role: Role, at: float) -> tuple[str, Key]:
    """A new key: what its user is given, once, and what is kept."""
    key_id = secrets.token_hex(6)
    given = f"{PREFIX}{key_id}_{secrets.token_urlsafe(32)}"
    return given, Key(key_id, name, role, digest(given), at)


def id_of(given: str) -> str | None:
    """The id in what was given; None if it has not the form of a key."""
    found = _KEY.fullmatch(given)
    return None if found is None else found[1]


def digest(given: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(given.encode()).hexdigest()
