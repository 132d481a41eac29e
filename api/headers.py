"""Security headers of every answer, CORS, and the proxies that are trusted.

A page sets the headers that it needs (`api.pages`, `api.docs`); the others are set here, as narrow as possible.
"""

from __future__ import annotations

from flask import Flask, Response, request
from flask_cors import CORS
from werkzeug.middleware.proxy_fix import ProxyFix

from api import browsers
from api.access import GUARDED
from api.context import HEADER
from shared.settings import Settings

#: Content-Security-Policy of answers that are not pages: they load nothing, and no page may frame them.
POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
#: Permissions-Policy of answers that need no permission; pages that need the camera set their own.
PERMISSIONS = "camera=(), microphone=(), geolocation=(), display-capture=(), payment=(), usb=()"
#: Seconds (a year) for which a browser that has reached this host by HTTPS does not use plain HTTP.
HSTS = 365 * 86400

#: Headers of every answer that does not set them itself.
USUAL = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": POLICY,
    "Permissions-Policy": PERMISSIONS,
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",  # for loads without CORS
}

#: CORS: the answer's headers that a script of another origin may read, and the request's headers that it may send.
_EXPOSED = ["Retry-After", "RateLimit", "RateLimit-Policy", "WWW-Authenticate", HEADER]
_SENT = ["Authorization", "Content-Type", "Idempotency-Key", browsers.HEADER, HEADER]


def install(app: Flask, settings: Settings) -> None:
    """Add the headers to each answer of the app, and trust the proxies that the settings name."""
    app.after_request(_harden)
    if settings.trusted_proxies:
        # Not X-Forwarded-Host: a proxy that does not set it passes on the client's own.
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0)  # type: ignore[method-assign]
    if settings.cors_origins:
        CORS(
            app,
            resources={rf"{GUARDED}.*": {}},
            origins=[origin.strip() for origin in settings.cors_origins.split(",")],
            methods=["GET", "POST", "DELETE"],
            allow_headers=_SENT,
            expose_headers=_EXPOSED,
            supports_credentials=False,  # a key or token is sent as a header; there is no cookie
            max_age=7200,
        )


def _harden(response: Response) -> Response:
    headers = response.headers
    # setdefault would go through all headers for each of these.
    present = {name.lower() for name, _ in headers}
    for name, value in USUAL.items():
        if name.lower() not in present:
            headers.add(name, value)
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", f"max-age={HSTS}")
    return response
