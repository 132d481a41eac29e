"""What every answer tells browsers, whatever it is; and from how far away requests may come.

A page sets what it needs (`api.pages`, `api.docs`); what it does not set is set here, as narrow as it goes.
"""

from __future__ import annotations

from flask import Flask, Response, request
from flask_cors import CORS
from werkzeug.middleware.proxy_fix import ProxyFix

from api.access import GUARDED
from api.context import HEADER
from shared.settings import Settings

#: An answer that is no page of ours loads nothing, and no other page may frame it.
POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
#: No page of ours asks for anything but the camera and a screen that stays on, and those pages say so themselves.
PERMISSIONS = "camera=(), microphone=(), geolocation=(), display-capture=(), payment=(), usb=()"
#: Seconds, a year, for which a browser that has seen this host by HTTPS does not speak plain HTTP with it.
HSTS = 365 * 86400

#: Of every answer, unless the page that it is says otherwise.
USUAL = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": POLICY,
    "Permissions-Policy": PERMISSIONS,
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",  # holds for what is loaded without asking (CORS)
}

#: What a script of another site may read beside the body.
_EXPOSED = ["Retry-After", "RateLimit", "RateLimit-Policy", "WWW-Authenticate", HEADER]
_SENT = ["Authorization", "Content-Type", "Idempotency-Key", HEADER]


def install(app: Flask, settings: Settings) -> None:
    """Have the app do this to each answer, and believe as many proxies as there are."""
    app.after_request(_harden)
    if settings.trusted_proxies:
        # The host is what the proxy passes on: X-Forwarded-Host would be the client's word where a proxy does not set it.
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
    # Not by setdefault, which goes through all that are there for each of these: 13 µs a request in place of 3.
    there = {name.lower() for name, _ in headers}
    for name, value in USUAL.items():
        if name.lower() not in there:
            headers.add(name, value)
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", f"max-age={HSTS}")
    return response
