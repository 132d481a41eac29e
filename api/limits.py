"""Rate limits: 429 with Retry-After, and the RateLimit fields of every answer.

New sessions and frames are limited by key and by address, so that neither a leaked key nor one address can take all of the
service; frames are limited by their session as well. An IPv6 client is limited by its /64 and, more loosely, by its /48. The
address of a server key is not limited: it is a backend's, and stands for all of its users. Callers on this machine are not
limited while no key is required.
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
from shared.handoff.inflight import Sharer
from shared.redis import buckets, keyspace
from shared.redis.buckets import Bucket, Level, Rate
from shared.telemetry.metrics.table import LIMITS_OPEN

log = structlog.get_logger(__name__)

#: How many times the limit of an address an IPv6 site (a /48) may use up: as many homes or phones share one.
SITES = 8

#: The detail of `too_many_frames` by the limit that was reached; that of one session is the kind's own.
_FRAMES = {
    "frames-by-address": "Too many frames come from your network: send the next one in a moment. The session goes on; this "
    "frame was not judged.",
    "frames-by-site": "Too many frames come from your network: send the next one in a moment. The session goes on; this "
    "frame was not judged.",
    "frames-by-key": "Too many frames come with this API key, or with tokens of its sessions: send the next one in a "
    "moment. The session goes on; this frame was not judged.",
}


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
    """The buckets of a frame, for `shared.handoff.inflight.enter` to take from; empty if there is no limit."""
    if _exempt():
        return []
    settings, who = resources().settings, caller()
    asked = []
    if (by_session := Rate.parse(settings.limit_frames)) is not None:
        asked.append(Bucket("frames", keyspace.limit("frames", session_id), by_session))
    if (by_key := Rate.parse(settings.limit_frames_by_key)) is not None and who.key_id is not None:
        asked.append(Bucket("frames-by-key", keyspace.limit("frames-key", who.key_id), by_key))
    if (by_address := Rate.parse(settings.limit_frames_by_address)) is not None and not _backend():
        asked += _of_networks("frames", "frames-", by_address)
    return asked


def sharer(session_id: str) -> Sharer:
    """The party that a frame's session shares the workers as: the client's network.

    A backend's sessions are one party each and not bounded, since its address stands for all of its users; so are those of
    callers on this machine while no key is required.
    """
    if _exempt() or _backend():
        return Sharer(session_id, bounded=False)
    return Sharer(addresses.network(addresses.SITE))


def note(levels: list[Level], code: str) -> None:
    """Remember the buckets' levels for the answer's headers; raise the problem `code` if one of them was empty.

    How much a key has left for frames is told to a backend alone: it says how busy the key's owner is.
    """
    g.limits = [level for level in levels if level.bucket.name != "frames-by-key" or _backend()]
    longest = max(levels, key=lambda level: level.wait, default=None)
    if longest is not None and longest.wait > 0:
        raise ProblemError(code, _FRAMES.get(longest.bucket.name), retry_after=longest.wait)


def _buckets_of_creation() -> list[Bucket]:
    if _exempt():
        return []
    settings, who = resources().settings, caller()
    by_key, by_address = Rate.parse(settings.limit_sessions_by_key), Rate.parse(settings.limit_sessions_by_address)
    asked = []
    if by_key is not None and who.key_id is not None:
        asked.append(Bucket("sessions-by-key", keyspace.limit("key", who.key_id), by_key))
    if by_address is not None and not _backend():
        asked += _of_networks("sessions", "", by_address)
    return asked


def _of_networks(what: str, prefix: str, rate: Rate) -> list[Bucket]:
    """The buckets of the client's network and, for IPv6, of its site. prefix: of the limits' names in Redis."""
    network, site = addresses.network(addresses.CUSTOMER), addresses.network(addresses.SITE)
    found = [Bucket(f"{what}-by-address", keyspace.limit(f"{prefix}address", network), rate)]
    if site != network:
        whole = Rate(SITES * rate.count, rate.seconds)
        found.append(Bucket(f"{what}-by-site", keyspace.limit(f"{prefix}site", site), whole))
    return found


def _backend() -> bool:
    """Whether the caller is a backend, whose address stands for all of its users."""
    return caller().who is Who.SERVER and caller().key_id is not None


def _exempt() -> bool:
    return caller() is ANYONE and addresses.local()


def _add_headers(response: Response) -> Response:
    levels: Iterable[Level] = g.get("limits", ())
    for level in levels:
        name, rate = level.bucket.name, level.bucket.rate
        response.headers.add("RateLimit-Policy", f'"{name}";q={rate.count};w={rate.seconds}')
        response.headers.add("RateLimit", f'"{name}";r={level.left};t={math.ceil(level.full_in)}')
    return response
