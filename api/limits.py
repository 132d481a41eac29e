"""Rate limits: 429 with Retry-After, and the RateLimit fields of every answer.

New sessions are limited by the key that creates them and by the address, so that neither a leaked key nor one person can
take all of the service; frames are limited by their session. The address of a server key is not limited: it is a backend's,
and stands for all of its users. Callers on this machine are not limited while no key is required.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import structlog
from flask import Flask, Response, g
from redis.exceptions import RedisError

from api import addresses
from api.access import ANYONE, Who, caller
from api.problems import ProblemError
from api.resources import resources
from shared.redis import buckets, keyspace
from shared.redis.buckets import Bucket, Level, Rate
from shared.telemetry.metrics.table import LIMITS_OPEN

log = structlog.get_logger(__name__)


def install(app: Flask) -> None:
    """Add what is left of a caller's limits to each answer, as draft-ietf-httpapi-ratelimit-headers-10 names the fields."""
    app.after_request(_add_headers)


def for_creation() -> None:
    """Take the tokens of a new session, or raise `too_many_sessions`.

    Without Redis every creation is let through: the limits protect the service from overload, not from its own outage.
    """
    asked = _buckets_of_creation()
    if not asked:
        return
    try:
        levels = buckets.take(resources().redis, asked)
    except RedisError as error:
        LIMITS_OPEN.inc()
        log.warning("limits.open", error=repr(error))
    else:
        note(levels, "too_many_sessions")


def of_frame(session_id: str) -> list[Bucket]:
    """The bucket of a frame, for `shared.handoff.inflight.enter` to take from; empty if there is no limit."""
    rate = Rate.parse(resources().settings.limit_frames)
    if rate is None or _exempt():
        return []
    return [Bucket("frames", keyspace.limit("frames", session_id), rate)]


def note(levels: list[Level], code: str) -> None:
    """Remember the buckets' levels for the answer's headers; raise the problem `code` if one of them was empty."""
    g.limits = levels
    wait = max((level.wait for level in levels), default=0)
    if wait > 0:
        raise ProblemError(code, retry_after=wait)


def _buckets_of_creation() -> list[Bucket]:
    if _exempt():
        return []
    settings, who = resources().settings, caller()
    by_key, by_address = Rate.parse(settings.limit_sessions_by_key), Rate.parse(settings.limit_sessions_by_address)
    asked = []
    if by_key is not None and who.key_id is not None:
        asked.append(Bucket("sessions-by-key", keyspace.limit("key", who.key_id), by_key))
    if by_address is not None and (who.key_id is None or who.who is not Who.SERVER):
        network = addresses.network(addresses.CUSTOMER)
        asked.append(Bucket("sessions-by-address", keyspace.limit("address", network), by_address))
    return asked


def _exempt() -> bool:
    return caller() is ANYONE and addresses.local()


def _add_headers(response: Response) -> Response:
    levels: Iterable[Level] = g.get("limits", ())
    for level in levels:
        name, rate = level.bucket.name, level.bucket.rate
        response.headers.add("RateLimit-Policy", f'"{name}";q={rate.count};w={rate.seconds}')
        response.headers.add("RateLimit", f'"{name}";r={level.left};t={math.ceil(level.full_in)}')
    return response
