"""Open mode: while no API key is asked for, the service serves this machine only, unless the settings say otherwise.

- The web process listens on loopback addresses (ops/gunicorn.conf.py), and the app refuses peers that are not on this
  machine, whichever server runs it. BIND opens it to others.
- A request must name this machine, or one of ALLOWED_HOSTS, as its host. Else a website could reach the service through
  its visitor's browser, by a name that it first resolves to itself and then to 127.0.0.1 (DNS rebinding).
- A service that has asked for keys writes the file STATE_DIR/closed, and does not open again on a database without keys:
  DATABASE_URL is probably mistyped.
"""

from __future__ import annotations

import re
from enum import Enum
from ipaddress import IPv6Address, ip_address

import structlog
from flask import Flask, request
from sqlalchemy.exc import SQLAlchemyError

from api.access import is_open, keyring_of
from api.problems import ProblemError
from api.resources import resources, resources_of
from shared.db import UnitOfWork, make_engine
from shared.settings import Settings

#: Name of the file in STATE_DIR which says that the service has asked for keys.
CLOSED = "closed"
#: Endpoints that balancers and Prometheus call by an address of their own; /metrics asks for a token.
_FOR_ALL = ("health.livez", "health.readyz", "metrics.show")
#: A Host header: a name or an IPv4 address, or an IPv6 address in brackets; and a port.
_HOST = re.compile(r"(?:([A-Za-z0-9._-]+)|\[([0-9A-Fa-f:.]+)\])(?::[0-9]{0,5})?")
_NOTE = """\
This service has asked for API keys. With AUTH=auto it does not start on a database without keys while this file exists.
Delete the file if the service is to be open again.
"""

log = structlog.get_logger(__name__)


class State(Enum):
    """What the database and the file `closed` say of the service at its start."""

    #: No key is asked for.
    OPEN = "open"
    #: Keys are asked for.
    CLOSED = "closed"
    #: The database cannot be read yet, so no call that needs a key is answered.
    UNKNOWN = "unknown"
    #: The database has no keys, although the service has asked for keys before.
    LOST = "lost"


def install(app: Flask) -> None:
    """Have the app refuse hosts that are not allowed and, while it is open, peers that are not on this machine."""
    app.before_request(_refuse_others)


def state(settings: Settings) -> State:
    """The state of the service; a service found closed is remembered in STATE_DIR."""
    if settings.auth != "auto":
        return State.OPEN if settings.auth == "off" else State.CLOSED
    closed = settings.state_dir / CLOSED
    try:
        engine = make_engine(settings.database_url, pool_size=1)
        try:
            with UnitOfWork(engine, read_only=True) as uow:
                keys = uow.keys.all()
        finally:
            engine.dispose()
    except SQLAlchemyError:
        return State.UNKNOWN
    if keys:
        remember_closed(settings)
        return State.CLOSED
    return State.LOST if closed.exists() else State.OPEN


def remember_closed(settings: Settings) -> None:
    """Write the file which says that the service has asked for keys; without a place for it, log a warning."""
    closed = settings.state_dir / CLOSED
    if closed.exists():
        return
    try:
        closed.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        closed.write_text(_NOTE)
    except OSError as error:
        log.warning("access.not_remembered", reason="STATE_DIR cannot be written", error=str(error))


def watch(app: Flask) -> None:
    """Have a running app remember its first key, and stay closed once it has had one."""
    settings = resources_of(app).settings
    keyring_of(app).watch((settings.state_dir / CLOSED).exists, lambda: remember_closed(settings))


def is_loopback(address: str) -> bool:
    """Whether a host or a peer is this machine: localhost, 127.0.0.0/8 or ::1."""
    if address == "localhost":
        return True
    try:
        found = ip_address(address)
    except ValueError:
        return False
    # A server that listens on [::] sees ::ffff:127.0.0.1 for 127.0.0.1.
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return (mapped or found).is_loopback


def _refuse_others() -> None:
    if request.endpoint in _FOR_ALL:
        return
    settings, host = resources().settings, _host()
    allowed = _listed(settings.allowed_hosts)
    if not (is_loopback(host) or allowed & {host, "*"} or host in _listed(settings.bind)) and (allowed or is_open()):
        raise ProblemError("host_not_allowed")
    if not (settings.bind or _peer_is_here()) and is_open():
        raise ProblemError("peer_not_allowed")


def _host() -> str:
    """The host that the request names, in lower case and without its port; empty if it names none or is not well-formed."""
    found = _HOST.fullmatch(request.environ.get("HTTP_HOST", ""))
    return (found[1] or found[2]).lower() if found else ""


def _peer_is_here() -> bool:
    """Whether the connection comes from this machine, whatever a proxy tells of its client."""
    seen = request.environ.get("werkzeug.proxy_fix.orig", request.environ).get("REMOTE_ADDR") or ""
    return not seen or is_loopback(seen)  # empty: a unix socket


def _listed(text: str) -> set[str]:
    return {part.strip().lower() for part in text.split(",") if part.strip()}
