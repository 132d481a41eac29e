"""The path below which a proxy serves this service, such as /liveness: BASE_PATH, or what a trusted proxy says.

With BASE_PATH the proxy may take the path off or leave it. A header only tells of a path that was taken off: if the app took
off what a client says, the client could ask for a page by a path that the proxy's own rules do not know. Pages name their
files relative to themselves, so they need not know the path; problems, the OpenAPI document and redirects name it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from flask import Flask

#: A path as a proxy may name it. No empty segment: `//host` would be another site.
FIT = re.compile(r"(?=.{2,200}\Z)(?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._~-]+)+")
#: The header in which a proxy names the path.
_HEADER = "HTTP_X_FORWARDED_PREFIX"


class Below:
    """WSGI middleware that takes the path off PATH_INFO and puts it into SCRIPT_NAME, as other servers than ours may do."""

    def __init__(self, app: Flask, *, path: str, trusting: bool) -> None:
        """path: of the settings. trusting: whether a proxy's word is taken without one."""
        self._app, self._wsgi = app, app.wsgi_app
        self._path, self._trusting = path, trusting

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Pass a request on, with its path as the app knows it."""
        if not environ.get("SCRIPT_NAME"):
            if self._path:
                environ["SCRIPT_NAME"] = self._path
                environ["PATH_INFO"] = self._own(environ.get("PATH_INFO", ""), self._path)
            elif self._trusting:
                environ["SCRIPT_NAME"] = forwarded(environ.get(_HEADER, ""))
        return self._wsgi(environ, start_response)

    def _own(self, asked: str, path: str) -> str:
        """The path without the proxy's; as it is if the proxy has taken that off already."""
        if asked == path:
            return ""  # redirected to `path/` by werkzeug: a page's relative links need the slash
        if not asked.startswith(f"{path}/"):
            return asked
        rest = asked[len(path) :]
        return rest if rest.split("/", 2)[1] in self._first_segments else asked

    @cached_property
    def _first_segments(self) -> frozenset[str]:
        """With what the service's own paths begin, among them the empty one of `/`."""
        return frozenset(rule.rule.split("/", 2)[1] for rule in self._app.url_map.iter_rules())


def forwarded(value: str) -> str:
    """The path in a proxy's header; empty if it is none, or if proxies contradict each other."""
    named = {part.strip().rstrip("/") for part in value.split(",")}
    path = named.pop() if len(named) == 1 else ""
    return path if FIT.fullmatch(path) else ""
