"""The pages for people: the check at `/`, and the files of the browser client under `/web/`.

The files need no build and are served at two addresses. Under `/web/…` other sites import them, and browsers revalidate
them each time. Under `/web/~DIGEST/…` our own pages name them, and browsers cache them for good: another version has
another digest, and relative imports keep a page on one version.
"""

from __future__ import annotations

import base64
import hashlib
import mimetypes
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, render_template, request, send_from_directory, url_for

from api.cors import canonical
from api.resources import resources

pages = Blueprint("pages", __name__)

#: Folder of the files of our own pages.
WEB = Path(__file__).parent / "web"
#: Folder of the browser client, served below `/web/client/`.
BROWSER_CLIENT = Path(__file__).parent / "clients" / "browser"
_CLIENT_PREFIX = "client/"


def _style_hash() -> str:
    """The CSP source of the element's style sheet: browsers that cannot construct a sheet get it as a style element."""
    css = (BROWSER_CLIENT / "styles.js").read_text().partition("const CSS = `")[2].partition("`;")[0]
    return f"'sha256-{base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()}'"


#: Content-Security-Policy of our pages: they load our files, call our API and show the camera (a MediaStream needs no
#: `media-src`); nothing inline but the element's own style sheet, nothing from another host.
POLICY = (
    f"default-src 'none'; script-src 'self'; style-src 'self' {_style_hash()}; img-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
#: Seconds (a year, the most that caches take) for which a versioned file is cached.
_FOR_GOOD = 365 * 86400

#: Content types that a system's own table may lack or have as text/plain: a browser would not run such a module.
_TYPES = {".js": "text/javascript; charset=utf-8", ".ts": "text/plain; charset=utf-8"}


@pages.get("/")
def check() -> Response:
    """The page of the check."""
    settings = resources().settings
    response = page("check.html", relying_party=settings.relying_party)
    if settings.frame_ancestors:
        origins = " ".join(canonical(part.strip()) for part in settings.frame_ancestors.split(",") if part.strip())
        response.headers["Content-Security-Policy"] = f"{POLICY} {origins}"  # its last directive is frame-ancestors
    return response


@pages.get("/web/<path:name>")
def file(name: str) -> Response:
    """A file of the pages or of the browser client, to be revalidated."""
    return _file(name, "no-cache")


@pages.get("/web/~<version>/<path:name>")
def versioned_file(version: str, name: str) -> Response:
    """A file of the pages or of the browser client, to be cached for good.

    While a version is rolled out, a page of one process may ask a process of another version for its files: the file of the
    other version is served, and is not cached.
    """
    current = version == digest()
    return _file(name, f"public, max-age={_FOR_GOOD}, immutable" if current else "no-cache")


def web(name: str) -> str:
    """The versioned address of a file, for our own pages."""
    return link("pages.versioned_file", version=digest(), name=name)


def link(endpoint: str, **values: Any) -> str:
    """The address of an endpoint, relative to our own pages: all of them lie side by side, below whatever path."""
    return url_for(endpoint, **values)[len(request.script_root) + 1 :] or "."


@lru_cache(maxsize=1)
def digest() -> str:
    """The version of all served files: a hash of their names and contents, 16 hex digits."""
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


def page(template: str, **values: object) -> Response:
    """A page from a template, with the headers that all pages share."""
    response = Response(
        render_template(template, web=web, link=link, **values), content_type="text/html; charset=utf-8"
    )
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
    # Any site may import the client: it holds no secret, and the API decides what it may do.
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
