"""Webhooks as the API and the process `events` share them: endpoints, deliveries, the schedule, and the rules for URLs.

A webhook is an HTTP endpoint that is called for each event; docs/webhooks.md describes it to receivers.
"""

from __future__ import annotations

import base64
import ipaddress
import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

#: All types of published events.
EVENT_TYPES = tuple(
    f"liveness.session.{change}"
    for change in ("created", "started", "challenge_passed", "completed", "failed", "expired", "cancelled")
)
#: Type of the event that `POST /api/v1/webhooks/{id}/test` sends.
TEST_TYPE = "liveness.webhook.test"

#: Prefix of a signing secret, after Standard Webhooks.
PREFIX = "whsec_"

#: Seconds between attempts, as Standard Webhooks recommends: ten attempts over three days. Each is lengthened or shortened
#: by a share of up to JITTER, so that deliveries that failed together are not repeated together.
SCHEDULE = (5.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 50400.0, 72000.0, 86400.0)
JITTER = 0.2

#: Seconds after a change of the secret for which deliveries are signed with the former one too.
OVERLAP = 86400.0

#: Seconds of nothing but failed attempts after which an endpoint is disabled.
FAILING = 5 * 86400.0

#: Most calls of one endpoint at the same time, so that an endpoint that hangs leaves threads to the others.
IN_FLIGHT = 4

#: Failed attempts in a row after which an endpoint's circuit opens: from then on only a probe, one call, is let through.
OPEN_AFTER = 5
#: Seconds until the first probe; each one that fails doubles them, up to LONGEST_PAUSE.
FIRST_PAUSE, LONGEST_PAUSE = 30.0, 900.0

#: Networks that `ipaddress` calls global although their addresses embed others, maybe private: NAT64, 6to4, Teredo.
_TRANSLATED = tuple(ipaddress.ip_network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))

#: Reasons for which the service disables an endpoint: it answered 410 Gone, or has failed for longer than `FAILING`.
GONE, FAILED_TOO_LONG = "gone", "failing"


class Status(StrEnum):
    """The state of a delivery."""

    PENDING = "pending"
    DELIVERED = "delivered"
    #: Given up after the last attempt of SCHEDULE.
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Webhook:
    """An endpoint to which events are delivered. Times are in seconds since the epoch."""

    id: str
    url: str
    #: Types of the events to deliver; empty: all types.
    types: list[str]
    #: Signing secret, `whsec_…`, or as its row has it: `shared.db.webhook_secrets`.
    secret: str
    created_at: float
    enabled: bool = True
    #: Why the service disabled the endpoint, GONE or FAILED_TOO_LONG; None if it did not.
    disabled_reason: str | None = None
    #: Time of the first failed attempt since the last success; None if the last attempt succeeded.
    failing_since: float | None = None
    #: The former secret, and the time until which deliveries are signed with it too; None if there is none.
    former_secret: str | None = None
    former_until: float | None = None
    #: When the open circuit lets the next probe through; None while the circuit is closed.
    paused_until: float | None = None
    #: Failed attempts since the latest success; those of calls that were under way when the circuit opened do not count.
    failures: int = 0

    def secrets_at(self, at: float) -> list[str]:
        """The secrets to sign a delivery with at `at`: the current one, and the former one until `former_until`."""
        if self.former_secret is not None and self.former_until is not None and at < self.former_until:
            return [self.secret, self.former_secret]
        return [self.secret]

    def wants(self, event_type: str) -> bool:
        """Whether events of this type are to be delivered to this endpoint."""
        return self.enabled and (not self.types or event_type in self.types)


@dataclass(frozen=True, slots=True)
class Delivery:
    """The delivery of one event to one endpoint. Times are in seconds since the epoch."""

    id: str
    webhook_id: str
    event: dict[str, Any]
    status: Status
    attempts: int
    created_at: float
    #: Time of the next attempt; None if there will be none.
    next_at: float | None = None
    last_at: float | None = None
    #: HTTP status of the latest attempt's answer; None without an answer.
    last_status: int | None = None
    #: Why the latest attempt failed, in a few words; None if it succeeded.
    last_error: str | None = None


def pause_after(failures: int) -> float | None:
    """Seconds without calls after so many failed attempts in a row; None while the endpoint's circuit is closed."""
    if failures < OPEN_AFTER:
        return None
    return min(FIRST_PAUSE * 2.0 ** min(failures - OPEN_AFTER, 16), LONGEST_PAUSE)


def new_secret() -> str:
    """A new signing secret of 256 random bits, in the format of Standard Webhooks."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def is_outside(address: str) -> bool:
    """Whether an IP address is on the public internet, and not on this machine or in a private network."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_outside(str(ip.ipv4_mapped))
        if any(ip in net for net in _TRANSLATED):
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def fault_of(url: str, *, private: bool) -> str | None:
    """What is wrong with an endpoint's URL, as a clause such as "must be a URL"; None if it is acceptable.

    DNS is not asked; a host name is checked by its form. private: whether plain http and addresses inside the private
    network are allowed.
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
    except ValueError:  # the host is a name, not an address
        inside = "." not in host.strip(".") or host.rstrip(".").endswith((".localhost", ".local", ".internal"))
    return "must not lead to an address inside the network" if inside else None
