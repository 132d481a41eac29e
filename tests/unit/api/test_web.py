"""The pages for people and the browser client's files: types, caching, policy; and that they fit together."""

from __future__ import annotations

import base64
import hashlib
import json
import posixpath
import re
from pathlib import Path

import pytest
from flask_openapi import OpenAPI

from api.pages import BROWSER_CLIENT, digest, served_files
from shared.liveness.challenge import ChallengeType
from tests.unit.api.test_docs import Page

LOCALES = sorted(path.stem for path in (BROWSER_CLIENT / "locales").glob("*.js"))


def entries(locale: str) -> dict[str, str]:
    """The words of a locale's file: one `key: "text",` a line."""
    text = (BROWSER_CLIENT / "locales" / f"{locale}.js").read_text()
    return {
        key.strip('"'): json.loads(value)
        for key, value in re.findall(r'^  ("[\w.]+"|\w+): (".*"),$', text, re.MULTILINE)
    }


def test_the_page_loads_only_its_own_files_and_all_of_them_are_there(lone_app: OpenAPI) -> None:
    client = lone_app.test_client()
    answer = client.get("/")
    assert answer.content_type == "text/html; charset=utf-8"
    page = Page(answer.text)
    assert page.loads
    for address in page.loads:
        assert address.startswith(f"web/~{digest()}/"), "relative, for a service below a path"
        with client.get(f"/{address}") as file:
            assert file.status_code == 200
            assert file.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert not page.inline
    assert not page.tags & {"iframe", "object", "embed", "style", "form"}
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "camera=(self)" in answer.headers["Permissions-Policy"]


def test_every_module_that_is_imported_at_once_is_named_beforehand(lone_app: OpenAPI) -> None:
    """Else the browser would come to know of it only after it has read the one before."""
    preloaded = {load for load in Page(lone_app.test_client().get("/").text).loads if load.endswith(".js")}
    files = served_files()
    found, left = set(), ["page.js"]
    while left:
        name = left.pop()
        found.add(f"web/~{digest()}/{name}")
        imported = re.findall(r'^(?:import|export) [^;]*?"(\.[^"]+)";', files[name].read_text(), re.MULTILINE)
        left += [posixpath.normpath(posixpath.join(posixpath.dirname(name), other)) for other in imported]
    assert preloaded == found


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("client/element.js", "text/javascript"),
        ("client/element.d.ts", "text/plain"),
        ("client/package.json", "application/json"),
        ("page.css", "text/css"),
        ("icon.svg", "image/svg+xml"),
    ],
)
def test_a_file_has_its_type_and_is_asked_for_again(lone_app: OpenAPI, name: str, kind: str) -> None:
    client = lone_app.test_client()
    with client.get(f"/web/{name}") as first:
        assert first.status_code == 200
        assert first.content_type.partition(";")[0] == kind
        assert first.headers["Cache-Control"] == "no-cache"
        assert first.headers["X-Content-Type-Options"] == "nosniff"
        assert first.headers["Access-Control-Allow-Origin"] == "*"
        tag = first.headers["ETag"]
    with client.get(f"/web/{name}", headers={"If-None-Match": tag}) as second:
        assert (second.status_code, second.data) == (304, b"")


def test_a_page_that_has_not_changed_is_not_sent_again(lone_app: OpenAPI) -> None:
    client = lone_app.test_client()
    tag = client.get("/").headers["ETag"]
    assert client.get("/", headers={"If-None-Match": tag}).status_code == 304


def test_files_of_another_version_are_not_kept(lone_app: OpenAPI) -> None:
    """While a new version is being rolled out, processes of both answer."""
    with lone_app.test_client().get("/web/~0123456789abcdef/page.js") as answer:
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-cache")


@pytest.mark.parametrize("path", ["/web/nothing.js", "/web/../__init__.py", "/web/%2e%2e/__init__.py", "/web/client"])
def test_nothing_else_is_served(lone_app: OpenAPI, path: str) -> None:
    answer = lone_app.test_client().get(path)
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")


def test_the_policy_allows_the_element_s_own_style_sheet_as_an_element(lone_app: OpenAPI) -> None:
    """For browsers that cannot construct a sheet; a browser hashes what the template literal stands for."""
    css = (BROWSER_CLIENT / "styles.js").read_text().partition("const CSS = `")[2].partition("`;")[0]
    assert len(css) > 5000
    assert not re.search(r"\\|\$\{", css), "the text in the file is the text in the browser"
    hashed = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    policy = lone_app.test_client().get("/").headers["Content-Security-Policy"]
    assert f"style-src 'self' 'sha256-{hashed}';" in policy


#: What browsers of 2021 do not know (Safari 15.0, Chrome and Firefox 90), and whose lack keeps a module from running.
NEWER = re.compile(
    r"structuredClone\(|\.at\(|\.findLast|\.to(Sorted|Reversed|Spliced)\(|\.groupBy\(|Object\.hasOwn|AbortSignal\.|withResolvers"
    r"|randomUUID|\(\?<[=!]|static \{|#\w+ in |\.throwIfAborted|requestIdleCallback|with \{ type|scheduler\."
)


@pytest.mark.parametrize("name", sorted(name for name in served_files() if name.endswith(".js") and "lab" not in name))
def test_no_file_needs_a_browser_that_is_newer_than_said(name: str) -> None:
    """api/clients/browser/README.md says so. (/lab is for developers.)"""
    assert not NEWER.search(served_files()[name].read_text())


def test_no_file_names_another_host() -> None:
    for path in served_files().values():
        if path.suffix in (".js", ".css", ".html", ".svg"):
            code = re.sub(r"/\*.*?\*/|^\s*//.*$", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
            addresses = set(re.findall(r"https?://\w[\w.]*", code))
            assert addresses <= {"http://www.w3.org"}, path  # the name of SVG's namespace; nothing is loaded from there


@pytest.mark.parametrize("locale", LOCALES)
def test_a_language_says_all_that_english_says(locale: str) -> None:
    english, words = entries("en"), entries(locale)
    assert len(english) > 80
    assert words.keys() == english.keys()
    for key, text in words.items():
        assert text.strip(), key
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", english[key])), key


def test_every_language_is_offered() -> None:
    offered = (BROWSER_CLIENT / "language.js").read_text().partition("LANGUAGES = {")[2].partition("}")[0]
    assert sorted(re.findall(r"(\w+): \"", offered)) == LOCALES


def test_every_challenge_and_every_hint_of_the_service_has_words() -> None:
    """Hints that only repeat the challenge, or come with the end, are told by other words."""
    english = entries("en")
    assert {f"do.{kind}" for kind in ChallengeType} <= english.keys()
    source = Path("shared/liveness/hints.py").read_text()
    codes = set(re.findall(r'Hint\(\s*"(\w+)"', source))
    told_otherwise = {kind.lower() for kind in ChallengeType} | {"ended", "timed_out", "passed"}
    assert len(codes) > 20
    assert {f"hint.{code}" for code in codes - told_otherwise} <= english.keys()
