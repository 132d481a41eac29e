"""The address of a request's client, as far as TRUSTED_PROXIES makes it known."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from flask import request

#: Prefix length of one customer's network by IP version, for limits: one person has 2^64 addresses in IPv6.
CUSTOMER = {4: 32, 6: 64}
#: Prefix length of one site's network by IP version, for limits: providers give a home or an office up to 65,536 networks
#: of IPv6. With IPv4 a site has its one address.
SITE = {4: 32, 6: 48}
#: Prefix length by IP version for the audit trail: an office or a village, not a person.
COARSE = {4: 24, 6: 48}


def address() -> IPv4Address | IPv6Address | None:
    """The client's address; None if it is not known, as behind a unix socket."""
    return _parse(request.remote_addr or "")


def local() -> bool:
    """Whether the request was made on this machine."""
    found = address()
    return found is not None and found.is_loopback


def network(bits: dict[int, int]) -> str:
    """The network of the client's address, e.g. "192.0.2.0/24" with COARSE; "unknown" without an address."""
    return _network(request.remote_addr or "", bits[4], bits[6])


# Remembered, because each frame asks for two networks.
@lru_cache(maxsize=4096)
def _network(text: str, bits_of_4: int, bits_of_6: int) -> str:
    found = _parse(text)
    if found is None:
        return "unknown"
    return str(ip_network((found, bits_of_4 if found.version == 4 else bits_of_6), strict=False))


@lru_cache(maxsize=4096)
def _parse(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text)
    except ValueError:
        return None
    # A server that listens on [::] sees ::ffff:192.0.2.1 for 192.0.2.1.
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found
