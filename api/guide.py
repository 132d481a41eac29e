"""The documentation as a site at `/docs/`, where `ops/docs` has built it; `api.docs` has the API's page `/docs`.

The site's theme has a few short scripts in its pages. The Content-Security-Policy of each page names them by their hashes,
so that no other script runs in it. The theme's search adds a style sheet by script, so styles may be inline: the pages are
files of ours, and show nothing that a caller wrote. Policies of other answers stay as they are.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from functools import lru_cache
from pathlib import Path

from flask import Blueprint, abort, redirect, send_from_directory, url_for
from werkzeug.utils import safe_join
from werkzeug.wrappers import Response

from api.resources import resources

guide = Blueprint("guide", __name__)

#: A script within a page, and its attributes; blocks of data (`type="application/json"`) are not run.
_SCRIPT = re.compile(r"<script(?P<attributes>[^>]*)>(?P<code>.*?)</script>", re.DOTALL)


@guide.get("/docs/", defaults={"name": ""})
@guide.get("/docs/<path:name>")
def file(name: str) -> Response:
    """A page or a file of the site."""
    site = resources().settings.docs_site.absolute()
    if not name and not built(site):
        return redirect(url_for("docs.page"))
    path = safe_join(str(site), name)
    if path is None:
        abort(404)
    if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises for a name that is too long
        if name and not name.endswith("/"):
            return redirect(url_for("guide.file", name=f"{name}/"))
        name += "index.html"
    response = send_from_directory(site, name, conditional=True)
    response.headers["Cache-Control"] = "no-cache"
    if name.endswith(".html"):
        page = site / name
        response.headers["Content-Security-Policy"] = policy(page, page.stat().st_mtime_ns)
    return response


@guide.app_context_processor
def context() -> dict[str, bool]:
    """For the templates: whether there is a guide. The API's page is made once, and links to it from the next start on."""
    return {"guide": built(resources().settings.docs_site)}


def built(site: Path) -> bool:
    """Whether `ops/docs` has built the site."""
    return (site / "index.html").is_file()


@lru_cache(maxsize=256)
def policy(page: Path, changed: int) -> str:  # noqa: ARG001 - a page that has changed has another policy
    """The Content-Security-Policy of a page: files of this host, and the scripts that stand in the page."""
    scripts = [
        base64.b64encode(hashlib.sha256(script["code"].encode()).digest()).decode()
        for script in _SCRIPT.finditer(page.read_text())
        if script["code"] and "application/json" not in script["attributes"]
    ]
    allowed = "".join(f" 'sha256-{digest}'" for digest in dict.fromkeys(scripts))
    return (
        f"default-src 'none'; script-src 'self'{allowed}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
