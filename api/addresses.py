"""The address that a request came from: as far as TRUSTED_PROXIES lets it be known."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from flask import request

#: Bits of an address that name a network of one customer: what is limited in IPv6, where one person has 2^64 addresses.
CUSTOMER = {4: 32, 6: 64}
#: Bits that are kept in the audit trail: an office or a village, not a person.
COARSE = {4: 24, 6: 48}


def address() -> IPv4Address | IPv6Address | None:
    """Who made this request; None where that is not known, as behind a unix socket."""
    try:
        found = ip_address(request.remote_addr or "")
    except ValueError:
        return None
    # A server that listens on [::] sees ::ffff:192.0.2.1 for 192.0.2.1.
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found


def local() -> bool:
    """Whether it was made on this very machine."""
    found = address()
    return found is not None and found.is_loopback


def network(bits: dict[int, int]) -> str:
    """The network that the address is in, e.g. "192.0.2.0/24" by COARSE; "unknown" where it is not known."""
    found = address()
    if found is None:
        return "unknown"
    return str(ip_network((found, bits[found.version]), strict=False))
