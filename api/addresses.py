"""The address of a request's client, as far as TRUSTED_PROXIES makes it known."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from flask import request

#: Prefix length of one customer's network by IP version, for limits: one person has 2^64 addresses in IPv6.
CUSTOMER = {4: 32, 6: 64}
#: Prefix length by IP version for the audit trail: an office or a village, not a person.
COARSE = {4: 24, 6: 48}


def address() -> IPv4Address | IPv6Address | None:
    """The client's address; None if it is not known, as behind a unix socket."""
    try:
        found = ip_address(request.remote_addr or "")
    except ValueError:
        return None
    # A server that listens on [::] sees ::ffff:192.0.2.1 for 192.0.2.1.
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found


def local() -> bool:
    """Whether the request was made on this machine."""
    found = address()
    return found is not None and found.is_loopback


def network(bits: dict[int, int]) -> str:
    """The network of the client's address, e.g. "192.0.2.0/24" with COARSE; "unknown" without an address."""
    found = address()
    if found is None:
        return "unknown"
    return str(ip_network((found, bits[found.version]), strict=False))
