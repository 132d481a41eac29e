"""Security headers of every answer, and the proxies that are trusted; `api.cors` for other websites.

A page sets the headers that it needs (`api.pages`, `api.docs`); the others are set here, as narrow as possible.
"""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from flask import Flask, Response, request
from werkzeug.middleware.proxy_fix import ProxyFix

from api import base_path, cors
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


def install(app: Flask, settings: Settings) -> None:
    """Add the headers to each answer of the app, and trust the proxies that the settings name."""
    app.after_request(_harden)
    if settings.trusted_proxies:
        # Not X-Forwarded-Host: a proxy that does not set it passes on the client's own.
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0)  # type: ignore[method-assign]
    if settings.trusted_proxies or settings.base_path:
        below = base_path.Below(app, path=settings.base_path, trusting=settings.trusted_proxies > 0)
        app.wsgi_app = below  # type: ignore[method-assign]
    if settings.cors_origins:
        cors.install(app, settings.cors_origins)


def _harden(response: Response) -> Response:
    headers = response.headers
    # setdefault would go through all headers for each of these.
    present = {name.lower() for name, _ in headers}
    for name, value in USUAL.items():
        if name.lower() not in present:
            headers.add(name, value)
    if response.location:  # werkzeug's, to a page's right address: scheme and host are the proxy's matter
        to = urlsplit(response.location)
        response.location = urlunsplit(("", "", f"/{to.path.lstrip('/')}", to.query, ""))
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", f"max-age={HSTS}")
    return response
