"""The public keys that sign verdicts: a key set without I/O, and its fetching, sync and async."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Mapping
from typing import Any

import httpx
import jwt

from liveness_client import wire
from liveness_client.errors import InvalidVerdict, Unreachable

#: Seconds for which fetched keys are used, as the service allows: a revoked key is refused after that time at the latest.
REMEMBERED = 300.0
#: Seconds from one fetch for an unknown key to the next: whoever makes up key ids causes no more fetches than this.
PAUSE = 10.0
#: Seconds from a fetch that failed to the next.
TRY_AGAIN = 1.0
#: Seconds to wait for the keys.
ANSWER_WITHIN = 5.0


class KeySet:
    """The keys of a JWK Set (RFC 7517) with which verdicts are signed, and the ids of those that were revoked.

    Raises ValueError for a mapping that is no JWK Set. Keys of other kinds are ignored.
    """

    def __init__(self, jwks: Mapping[str, Any]) -> None:
        keys, revoked = jwks.get("keys"), jwks.get("revoked", [])
        if not isinstance(keys, list) or not isinstance(revoked, list):
            raise ValueError("a JWK Set has a list of keys")
        self._revoked = {each["kid"] for each in revoked if isinstance(each, dict) and isinstance(each.get("kid"), str)}
        self._keys = {
            key["kid"]: key
            for key in keys
            if isinstance(key, dict)
            and (key.get("kty"), key.get("crv")) == ("EC", "P-256")
            and isinstance(key.get("kid"), str)
        }

    def knows(self, kid: str) -> bool:
        """Whether the set has something to say about a key."""
        return kid in self._keys or kid in self._revoked

    def key(self, kid: str) -> jwt.PyJWK:
        """The key of an id; raises InvalidVerdict if it is unknown or revoked."""
        if kid in self._revoked:
            raise InvalidVerdict("revoked_key", "The key that signed the verdict was revoked.")
        try:
            return jwt.PyJWK(self._keys[kid], algorithm="ES256")
        except (KeyError, jwt.PyJWTError, ValueError):
            raise InvalidVerdict("unknown_key", "The service publishes no such key.") from None


class _Remembered:
    """What was fetched, and when to fetch again: what `Keys` and `AsyncKeys` share, without I/O."""

    def __init__(self, url: str, remembered: float) -> None:
        self.url = url
        self._remembered = min(remembered, REMEMBERED)
        self._set: KeySet | None = None
        self._fetched_at = self._asked_at = float("-inf")
        self._failure: str | None = None

    def knowing(self, kid: str, at: float) -> KeySet | None:
        """The keys at `at`, if they are young enough and know `kid`; else None."""
        keys = self._fresh(at)
        return keys if keys is not None and keys.knows(kid) else None

    def now(self, kid: str, at: float) -> KeySet | None:
        """The keys to judge `kid` by at `at`; None if they are to be fetched first. Raises Unreachable."""
        if (keys := self.knowing(kid, at)) is not None:
            return keys
        if self._failure is not None:
            if at - self._asked_at < TRY_AGAIN:
                raise Unreachable(self._failure)
            return None
        return self._fresh(at) if at - self._asked_at < PAUSE else None

    def take(self, response: httpx.Response | httpx.HTTPError | httpx.InvalidURL, at: float) -> KeySet:
        """Take the answer to a fetch that was asked for at `at`; raises Unreachable if it holds no keys."""
        self._asked_at = at
        try:
            if not isinstance(response, httpx.Response):
                raise wire.failure(self.url, response)
            if response.status_code != httpx.codes.OK:
                raise Unreachable(f"The keys of verdicts are not at {self.url}: HTTP status {response.status_code}.")
            try:
                self._set = KeySet(dict(response.json()))
            except (ValueError, TypeError):
                raise Unreachable(f"What is at {self.url} is no JWK Set.") from None
        except Unreachable as error:
            self._failure = str(error)
            raise
        self._fetched_at, self._failure = at, None
        return self._set

    def _fresh(self, at: float) -> KeySet | None:
        return self._set if at - self._fetched_at < self._remembered else None


class Keys:
    """The keys that a service publishes, fetched when they are needed; threads may share them.

    url: the address of the keys, `https://liveness.example.org/.well-known/jwks.json`. remembered: seconds for which they
    are used before they are fetched again, at most 300. For an unknown key they are fetched at once, at most every `PAUSE`
    seconds.
    """

    def __init__(self, url: str, *, remembered: float = REMEMBERED) -> None:
        self._remembered = _Remembered(url, remembered)
        self._one_at_a_time = threading.Lock()

    def for_key(self, kid: str) -> KeySet:
        """The key set to judge a key by; raises Unreachable if it cannot be fetched."""
        # Whoever brings a known key does not wait for a fetch that a made-up one causes.
        if (ready := self._remembered.knowing(kid, time.monotonic())) is not None:
            return ready
        with self._one_at_a_time:
            at = time.monotonic()
            known = self._remembered.now(kid, at)
            if known is not None:
                return known
            try:
                answer: httpx.Response | httpx.HTTPError | httpx.InvalidURL = httpx.get(
                    self._remembered.url, timeout=ANSWER_WITHIN, follow_redirects=False
                )
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                answer = error
            return self._remembered.take(answer, at)


class AsyncKeys:
    """The keys that a service publishes, for asyncio; tasks of one event loop may share them. See `Keys`."""

    def __init__(self, url: str, *, remembered: float = REMEMBERED) -> None:
        self._remembered = _Remembered(url, remembered)
        self._one_at_a_time = asyncio.Lock()

    async def for_key(self, kid: str) -> KeySet:
        """The key set to judge a key by; raises Unreachable if it cannot be fetched."""
        if (ready := self._remembered.knowing(kid, time.monotonic())) is not None:
            return ready
        async with self._one_at_a_time:
            at = time.monotonic()
            known = self._remembered.now(kid, at)
            if known is not None:
                return known
            try:
                async with httpx.AsyncClient(timeout=ANSWER_WITHIN, follow_redirects=False) as http:
                    answer: httpx.Response | httpx.HTTPError | httpx.InvalidURL = await http.get(self._remembered.url)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                answer = error
            return self._remembered.take(answer, at)
