"""The check of a signed verdict, by the public keys of the service that signed it (docs/verdict.md)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import jwt

from liveness_client.errors import InvalidVerdict
from liveness_client.keys import AsyncKeys, Keys, KeySet

#: The header `typ` of a verdict: no other JWT of the service passes for one.
KIND: Final = "liveness-verdict+jwt"
_ALGORITHM: Final = "ES256"
#: Characters of the longest verdict that is looked at.
_LONGEST = 16_384
_NEEDED = ("iss", "sub", "exp", "nbf", "iat", "jti", "is_live")


@dataclass(frozen=True, slots=True)
class Verdict:
    """A verdict whose signature, time and addressee were checked. It may say that no living person was there."""

    session_id: str
    #: Whether the session was completed by a living person.
    is_live: bool
    #: How much evidence the session asked for, and the types of its challenges: whoever created it chose them.
    preset: str | None
    challenges: tuple[str, ...]
    nonce: str | None
    #: All claims, as docs/verdict.md lists them.
    claims: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a verdict must name, by its claims."""

    iss: str
    aud: str | None
    sub: str | None
    nonce: str | None

    def hold(self, said: Mapping[str, Any]) -> None:
        """Raise InvalidVerdict if the claims name something else."""
        for reason, claim, wanted, compared in (
            ("other_issuer", "iss", self.iss, True),
            ("other_audience", "aud", self.aud, True),
            ("other_session", "sub", self.sub, self.sub is not None),
            ("other_nonce", "nonce", self.nonce, self.nonce is not None),
        ):
            if compared and said.get(claim) != wanted:
                raise InvalidVerdict(reason, f"The verdict's {claim} is {said.get(claim)!r}, and not {wanted!r}.")


@lru_cache(maxsize=16)
def _keys_at(url: str) -> Keys:
    return Keys(url)


def verify_verdict(
    verdict: str,
    keys: str | Keys | Mapping[str, Any],
    *,
    issuer: str,
    audience: str | None = None,
    session_id: str | None = None,
    nonce: str | None = None,
    at: float | None = None,
) -> Verdict:
    """Return what a signed verdict says; raise `InvalidVerdict` unless the service signed it, for this caller, and lately.

    keys: the address of the service's keys (`…/.well-known/jwks.json`), which are then kept for the whole process, or
    `Keys`, or a JWK Set. issuer: the service's setting ISSUER. audience, session_id, nonce: what the verdict must name; an
    audience that is not given must not be in the verdict. at: the time to judge at, in seconds since the epoch; by default
    now.

    Raises `Unreachable` if the keys are needed and cannot be fetched. Look at `is_live`: a valid verdict may say no.
    """
    kid = _key_id(verdict)
    if isinstance(keys, str):
        keys = _keys_at(keys)
    known = keys.for_key(kid) if isinstance(keys, Keys) else KeySet(keys)
    return _judge(verdict, known.key(kid), _Wanted(issuer, audience, session_id, nonce), at)


async def verify_verdict_async(
    verdict: str,
    keys: AsyncKeys | Mapping[str, Any],
    *,
    issuer: str,
    audience: str | None = None,
    session_id: str | None = None,
    nonce: str | None = None,
    at: float | None = None,
) -> Verdict:
    """Return what a signed verdict says, as `verify_verdict` does, without blocking the event loop."""
    kid = _key_id(verdict)
    known = await keys.for_key(kid) if isinstance(keys, AsyncKeys) else KeySet(keys)
    return _judge(verdict, known.key(kid), _Wanted(issuer, audience, session_id, nonce), at)


def _key_id(verdict: str) -> str:
    """The id of the key that a verdict names; nothing of it is believed yet."""
    try:
        header = jwt.get_unverified_header(verdict) if len(verdict) <= _LONGEST else {}
    except (jwt.InvalidTokenError, RecursionError):
        header = {}
    kid = header.get("kid")
    if header.get("typ") != KIND or header.get("alg") != _ALGORITHM or not isinstance(kid, str):
        raise InvalidVerdict("malformed", "The text is no signed verdict.")
    return kid


def _judge(verdict: str, key: jwt.PyJWK, wanted: _Wanted, at: float | None) -> Verdict:
    """What a verdict says, if its key signed it and it is the one wanted."""
    try:
        # The rest is checked below: PyJWT would take its own clock, and its errors do not tell a claim from the next.
        said: dict[str, Any] = jwt.decode(
            verdict,
            key,
            algorithms=[_ALGORITHM],
            options={
                "require": list(_NEEDED),
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
                "verify_aud": False,
            },
        )
    except jwt.InvalidSignatureError:
        raise InvalidVerdict("bad_signature", "The verdict was changed, or another key signed it.") from None
    except jwt.InvalidTokenError:
        raise InvalidVerdict("malformed", "The text is no signed verdict.") from None
    challenges = said.get("challenges")
    if (
        not isinstance(said["is_live"], bool)
        or not all(isinstance(said[name], (int, float)) for name in ("nbf", "exp"))
        or not isinstance(challenges, list)
    ):
        raise InvalidVerdict("malformed", "The verdict's claims are not the documented ones.")
    wanted.hold(said)
    if not said["nbf"] <= (time.time() if at is None else at) < said["exp"]:
        raise InvalidVerdict("expired", "The verdict is not valid at this time: fetch it again.")
    return Verdict(
        said["sub"],
        said["is_live"],
        said.get("preset"),
        tuple(str(each.get("type")) for each in challenges if isinstance(each, dict)),
        said.get("nonce"),
        said,
    )
