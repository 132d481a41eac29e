"""Webhooks: events brought to an address that somebody named. docs/webhooks.md is this for their receivers."""

from __future__ import annotations

import base64
import ipaddress
import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

#: The kinds of events that there are, as they are published.
EVENT_TYPES = tuple(
    f"liveness.session.{what}"
    for what in ("created", "started", "challenge_passed", "completed", "failed", "expired", "cancelled")
)
#: What `POST /api/v1/webhooks/{id}/test` sends.
TEST_TYPE = "liveness.webhook.test"

#: Seconds from one attempt to the next, those of Standard Webhooks: ten attempts over three days. Each is made longer or
#: shorter by up to JITTER of it, so that what failed together does not come back together.
SCHEDULE = (5.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 50400.0, 72000.0, 86400.0)
JITTER = 0.2

#: Seconds for which deliveries are signed with the secret before as well, once there is a new one.
OVERLAP = 86400.0

#: Seconds without a single success after which an endpoint is disabled.
FAILING = 5 * 86400.0

#: Networks that say global and mean another address inside them, or one that must not be reached: NAT64, 6to4, Teredo.
_TRANSLATED = tuple(ipaddress.ip_network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))


#: Why the service disables an endpoint by itself: it answered 410, or has failed for longer than `FAILING`.
GONE, FAILED_TOO_LONG = "gone", "failing"


class Status(StrEnum):
    """What has become of a delivery."""

    PENDING = "pending"
    DELIVERED = "delivered"
    #: Given up after the last attempt.
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where events are to be brought, and which."""

    id: str
    url: str
    #: Types of events; none: all.
    types: list[str]
    #: `whsec_…`. As it is, not hashed: each delivery is signed with it.
    secret: str
    created_at: float
    enabled: bool = True
    #: Why it was disabled by the service itself: gone, failing.
    disabled_reason: str | None = None
    #: Since when no delivery has succeeded; None while they do.
    failing_since: float | None = None
    #: The secret before this one, and until when deliveries are signed with it as well; None where there is none.
    former_secret: str | None = None
    former_until: float | None = None

    def secrets_at(self, at: float) -> list[str]:
        """With what a delivery is signed at `at`: the secret, and the one before while its receiver may still hold that."""
        if self.former_secret is not None and self.former_until is not None and at < self.former_until:
            return [self.secret, self.former_secret]
        return [self.secret]

    def wants(self, event_type: str) -> bool:
        """Whether events of this type are to be brought there."""
        return self.enabled and (not self.types or event_type in self.types)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one endpoint."""

    id: str
    webhook_id: str
    event: dict[str, Any]
    status: Status
    attempts: int
    created_at: float
    #: When it is to be attempted; None when it is not any more.
    next_at: float | None = None
    last_at: float | None = None
    #: The latest answer's HTTP status; None where there was no answer.
    last_status: int | None = None
    #: Why the latest attempt failed, in a word.
    last_error: str | None = None


def new_secret() -> str:
    """256 random bits, in the form of Standard Webhooks."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def is_outside(address: str) -> bool:
    """Whether an IP address is one of the internet at large: not this machine's, nor of a network of its neighbours."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_outside(str(ip.ipv4_mapped))
        if any(ip in net for net in _TRANSLATED):
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def fault_of(url: str, *, private: bool) -> str | None:
    """What is wrong with an endpoint's URL, as far as can be told without asking DNS; None if nothing is.

    private: whether plain http and addresses inside the network are allowed.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "must be a URL"
    if parts.scheme not in (("https", "http") if private else ("https",)):
        return "must begin with https://"
    if not host or parts.username is not None or parts.password is not None or parts.fragment:
        return "must name a host, and hold neither a user nor a fragment"
    if not url.isascii() or any(c <= " " or c == "\x7f" for c in url):
        return "must be ASCII without spaces"
    if private:
        return None
    try:
        inside = not is_outside(host)
    except ValueError:  # a name
        inside = "." not in host.strip(".") or host.rstrip(".").endswith((".localhost", ".local", ".internal"))
    return "must not lead to an address inside the network" if inside else None
