"""The pages for people: the check at `/`, and the files of the browser client under `/web/`.

The files need no build. They are served twice: under `/web/…`, for other sites to import, where a browser asks again
each time whether they have changed; and under `/web/~DIGEST/…`, as our own pages name them, for good: another version
has another digest, and since the files import each other by relative paths, all of a page is of one version.
"""

from __future__ import annotations

import hashlib
import mimetypes
from functools import lru_cache
from pathlib import Path

from flask import Blueprint, Response, render_template, request, send_from_directory, url_for

pages = Blueprint("pages", __name__)

#: The files of our own pages.
WEB = Path(__file__).parent / "web"
#: The browser client, which is served below `/web/client/`.
BROWSER_CLIENT = Path(__file__).parent / "clients" / "browser"
_CLIENT_PREFIX = "client/"

#: What a page of ours may do: load our own files, talk to our own API, show the camera (a MediaStream has no address, and
#: so needs no `media-src`). Nothing inline, nothing from another host.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
#: Seconds: a year, the longest that caches take.
_FOR_GOOD = 365 * 86400

#: A system's own table may not know these, or say text/plain: no browser would run such a module.
_TYPES = {".js": "text/javascript; charset=utf-8", ".ts": "text/plain; charset=utf-8"}


@pages.get("/")
def check() -> Response:
    """The check, for a person at their camera."""
    return page("check.html")


@pages.get("/web/<path:name>")
def file(name: str) -> Response:
    """A file of the browser client, as it is now."""
    return _file(name, "no-cache")


@pages.get("/web/~<version>/<path:name>")
def versioned_file(version: str, name: str) -> Response:
    """A file of the browser client, of one version.

    While a new version is being rolled out, a page of one process may ask another for its files: it is given what there
    is, and that is not kept.
    """
    current = version == digest()
    return _file(name, f"public, max-age={_FOR_GOOD}, immutable" if current else "no-cache")


def web(name: str) -> str:
    """The address of a file for our own pages."""
    return url_for("pages.versioned_file", version=digest(), name=name)


@lru_cache(maxsize=1)
def digest() -> str:
    """One name for all files as they are."""
    whole = hashlib.sha256()
    for name, path in sorted(served_files().items()):
        whole.update(f"{name}\0".encode() + path.read_bytes())
    return whole.hexdigest()[:16]


def served_files() -> dict[str, Path]:
    """Every file that is served below `/web/`, by its name there."""
    own = {path.relative_to(WEB).as_posix(): path for path in WEB.rglob("*") if path.is_file()}
    client = {
        _CLIENT_PREFIX + path.relative_to(BROWSER_CLIENT).as_posix(): path
        for path in BROWSER_CLIENT.rglob("*")
        if path.is_file()
    }
    return own | client


def page(template: str) -> Response:
    """A page of ours, with the policy that holds for all of them."""
    response = Response(render_template(template, web=web), content_type="text/html; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Permissions-Policy"] = "camera=(self), microphone=(), screen-wake-lock=(self)"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.add_etag()
    response.make_conditional(request)
    return response


def _file(name: str, caching: str) -> Response:
    kind = _TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0]
    of_client = name.startswith(_CLIENT_PREFIX)
    folder = BROWSER_CLIENT if of_client else WEB
    response = send_from_directory(folder, name.removeprefix(_CLIENT_PREFIX), mimetype=kind, conditional=True)
    response.headers["Cache-Control"] = caching
    # Anyone may import the client; it holds no secret, and what it may do the API decides.
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
