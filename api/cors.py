"""CORS: which pages of other websites and apps may read the API's answers. Origins are strings here, never patterns."""

from __future__ import annotations

from ipaddress import IPv6Address
from urllib.parse import urlsplit

from flask import Flask, Response, request

from api import browsers
from api.access import GUARDED
from api.context import HEADER

#: The answer's headers that a script of another origin may read, and the request's headers that it may send.
EXPOSED = ("Retry-After", "RateLimit", "RateLimit-Policy", "WWW-Authenticate", HEADER)
SENT = ("Authorization", "Content-Type", "Idempotency-Key", browsers.HEADER, HEADER)
METHODS = ("GET", "POST", "DELETE")
#: Seconds for which a browser may remember the answer to a preflight request.
REMEMBERED = 7200

_DEFAULT_PORTS = {"http": 80, "https": 443}


def install(app: Flask, origins: str) -> None:
    """Let pages of the origins, separated by commas, call the guarded paths of the app."""
    allowed = frozenset(canonical(part.strip()) for part in origins.split(",") if part.strip())

    def allow(response: Response) -> Response:
        if not request.path.startswith(GUARDED):
            return response
        response.vary.add("Origin")
        given = request.headers.get("Origin")
        if given not in allowed:
            return response
        # No Access-Control-Allow-Credentials: a key or token is sent as a header; there is no cookie.
        response.headers["Access-Control-Allow-Origin"] = given
        response.headers["Access-Control-Expose-Headers"] = ", ".join(EXPOSED)
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            response.headers["Access-Control-Allow-Methods"] = ", ".join(METHODS)
            response.headers["Access-Control-Allow-Headers"] = ", ".join(SENT)
            response.headers["Access-Control-Max-Age"] = str(REMEMBERED)
        return response

    app.after_request(allow)


def canonical(origin: str) -> str:
    """An origin as browsers write it: of the web in lower case, without the default port, IPv6 addresses in short form.

    Of an app's own scheme, the host stays as it is: only the scheme is in lower case.
    """
    scheme, sign, rest = origin.partition("://")
    if scheme.lower() not in _DEFAULT_PORTS:
        return f"{scheme.lower()}{sign}{rest}"
    parts = urlsplit(origin.lower())
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{IPv6Address(host)}]"
    port = "" if parts.port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"
