"""The documentation at /docs/, from the files that `ops/docs` has built; without them /docs alone."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from api import create_app
from shared.settings import Settings

PAGE = '<!doctype html><script>first()</script><script src="a.js"></script><script type="application/json">{"a": 1}</script>'


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A small site."""
    folder = tmp_path / "site"
    (folder / "evidence").mkdir(parents=True)
    (folder / "assets").mkdir()
    (folder / "index.html").write_text(PAGE)
    (folder / "evidence" / "index.html").write_text("<!doctype html><script>second()</script>")
    (folder / "assets" / "a.js").write_text("first()")
    (tmp_path / "secret.html").write_text("secret")
    return folder


@pytest.fixture
def client(lone_settings: Settings) -> Iterator[Callable[[Path], FlaskClient]]:
    """A client of an app that serves the site in this folder."""
    apps = []

    def new(folder: Path) -> FlaskClient:
        apps.append(create_app(lone_settings.model_copy(update={"docs_site": folder})))
        return apps[-1].test_client()

    yield new
    for app in apps:
        app.extensions["resources"].close()


def hashes(policy: str) -> set[str]:
    return set(re.findall(r"'sha256-([^']+)'", policy))


def digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def test_pages_and_files_are_served_beside_the_page_of_the_api(client, site: Path) -> None:
    browser = client(site)
    for path in ("/docs/", "/docs/index.html", "/docs/evidence/"):
        answer = browser.get(path, buffered=True)
        assert (answer.status_code, answer.content_type) == (200, "text/html; charset=utf-8"), path
    assert browser.get("/docs/assets/a.js", buffered=True).content_type.startswith("text/javascript")
    api = browser.get("/docs", buffered=True)
    assert '<h2 id="problems">' in api.text
    assert '<a href="docs/">Guides</a>' in api.text


@pytest.mark.parametrize("below", ["", "/liveness"])
def test_redirects_stay_below_the_path_of_the_service(client, site: Path, tmp_path: Path, below: str) -> None:
    where = {"base_url": f"http://localhost{below}", "buffered": True}
    answer = client(site).get("/docs/evidence", **where)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{below}/docs/evidence/")
    answer = client(tmp_path / "none").get("/docs/", **where)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{below}/docs")


def test_a_browser_revalidates_and_gets_nothing_anew(client, site: Path) -> None:
    browser = client(site)
    first = browser.get("/docs/", buffered=True)
    assert first.headers["Cache-Control"] == "no-cache"
    assert browser.get("/docs/", buffered=True, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304


def test_the_policy_names_the_scripts_of_the_page_and_no_others(client, site: Path) -> None:
    browser = client(site)
    policy = browser.get("/docs/", buffered=True).headers["Content-Security-Policy"]
    assert hashes(policy) == {digest("first()")}
    assert hashes(browser.get("/docs/evidence/", buffered=True).headers["Content-Security-Policy"]) == {
        digest("second()")
    }
    script = policy.partition("script-src")[2].partition(";")[0]
    assert "unsafe" not in script
    assert "http" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy


def test_a_site_that_is_built_anew_has_the_policy_of_its_new_scripts(client, site: Path) -> None:
    browser = client(site)
    browser.get("/docs/", buffered=True)
    (site / "index.html").write_text(PAGE.replace("first()", "third()"))
    os.utime(site / "index.html", ns=(0, 1))
    assert hashes(browser.get("/docs/", buffered=True).headers["Content-Security-Policy"]) == {digest("third()")}


def test_other_answers_keep_their_policies(client, site: Path, tmp_path: Path) -> None:
    with_site, without = client(site), client(tmp_path / "none")
    for path in ("/", "/docs", "/openapi.json", "/docs/assets/nothing.js", "/web/page.js"):
        policies = [
            browser.get(path, buffered=True).headers["Content-Security-Policy"] for browser in (with_site, without)
        ]
        assert policies[0] == policies[1], path
        assert "unsafe" not in policies[0]


@pytest.mark.parametrize(
    "path", ["../secret.html", "%2e%2e/secret.html", "..%2fsecret.html", "evidence/../../secret.html", "/secret.html"]
)
def test_nothing_outside_of_the_site_is_served(client, site: Path, path: str) -> None:
    assert client(site).get(f"/docs/{path}", buffered=True).status_code in {404, 308}


def test_what_the_site_does_not_have_is_not_found(client, site: Path) -> None:
    browser = client(site)
    strange = "/docs/%00", "/docs/index.html%00", "/docs/" + 300 * "a", "/docs/%ff"
    for path in ("/docs/nothing", "/docs/nothing/", "/docs/assets/", "/docs/index.html/x", *strange):
        answer = browser.get(path, buffered=True)
        assert (answer.status_code, answer.content_type) == (404, "application/problem+json"), path
    assert browser.post("/docs/").status_code == 405


def test_without_a_site_the_address_leads_to_the_page_of_the_api(client, tmp_path: Path) -> None:
    browser = client(tmp_path / "none")
    assert browser.get("/docs/", buffered=True).status_code == 302
    assert browser.get("/docs/evidence/", buffered=True).status_code == 404
    assert "Guides" not in browser.get("/docs", buffered=True).text
