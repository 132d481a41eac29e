"""The documentation at /docs/ in a browser: nothing is asked of another host, and its policy lets all of it work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Playwright
from werkzeug.serving import make_server

from api import create_app
from ops.run import site as building
from shared.settings import Settings
from tests.e2e.browser import launched
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app's address; it serves the site of this repository, and has no Redis."""
    folder = tmp_path_factory.mktemp("guide")
    settings = Settings(
        _env_file=None,
        redis_url="redis://127.0.0.1:1/0",
        database_url=f"sqlite:///{folder}/empty.db",
        auth="off",
        docs_site=building.build(ROOT, folder),
    )
    app = create_app(settings)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
    app.extensions["resources"].close()


@pytest.fixture(scope="module")
def plain(playwright: Playwright) -> Iterator[Browser]:
    """A browser without a camera."""
    with launched(playwright, None) as browser:
        yield browser


class Reader:
    """A page of the documentation, with what it asked for and complained of."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.asked: list[str] = []
        self.complaints: list[str] = []
        page.set_default_timeout(1000 * PATIENCE)
        page.on("request", lambda request: self.asked.append(request.url))
        page.on(
            "response", lambda answer: answer.status >= 400 and self.complaints.append(f"{answer.status} {answer.url}")
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: said.type in ("error", "warning") and self.complaints.append(said.text))


@pytest.fixture
def reader(plain: Browser) -> Iterator[Reader]:
    with plain.new_context(viewport={"width": 1200, "height": 900}) as context:
        yield Reader(context.new_page())


def test_pages_load_from_this_host_only_and_within_their_policy(address: str, reader: Reader) -> None:
    for path in ("", "evidence/", "repository/", "client/", "adr/0001-real-parts-embedded-by-default/"):
        reader.page.goto(f"{address}/docs/{path}", wait_until="load")
        reader.page.locator("article h1").wait_for()
        widths = reader.page.evaluate("[...document.images].map((image) => image.naturalWidth)")
        assert all(widths), path
    assert {asked.split("/")[2] for asked in reader.asked} == {address.split("/")[2]}
    assert len(reader.asked) > 10
    assert reader.complaints == []


def test_the_search_finds_a_page_without_any_other_host(address: str, reader: Reader) -> None:
    reader.page.goto(f"{address}/docs/capacity/")
    reader.page.get_by_role("button", name="Search").click()
    words = reader.page.get_by_role("combobox", name="Search")
    words.fill("nonces")
    found = reader.page.get_by_role("option", name="Each frame answers the last answer")
    found.wait_for()
    # The theme's script adds a style sheet to the window of the search: without it a link is blue and underlined.
    assert found.evaluate("(link) => getComputedStyle(link).textDecorationLine") == "none"
    found.click()
    reader.page.wait_for_url("**/docs/client/**")
    assert {asked.split("/")[2] for asked in reader.asked} == {address.split("/")[2]}
    assert reader.complaints == []


def test_nothing_keeps_people_out(address: str, reader: Reader) -> None:
    for path in ("lab/", "client/"):
        reader.page.goto(f"{address}/docs/{path}")
        reader.page.locator("article h1").wait_for()
        found = Axe().run(reader.page).response["violations"]
        # Both are advice beyond WCAG: the theme's two navigations of one name, and a table's empty corner.
        assert {rule["id"] for rule in found} <= {"landmark-unique", "empty-table-header"}


def test_a_reader_comes_from_a_page_to_the_api_and_back(address: str, reader: Reader) -> None:
    reader.page.goto(f"{address}/docs/adr/0001-real-parts-embedded-by-default/")
    reader.page.get_by_role("link", name="The API: every call and problem").click()
    reader.page.wait_for_url("**/docs")
    reader.page.get_by_role("link", name="Guides").click()
    reader.page.wait_for_url("**/docs/")
    reader.page.locator("article h1").wait_for()


def test_it_fits_a_phone(address: str, plain: Browser) -> None:
    with plain.new_context(viewport={"width": 360, "height": 740}) as context:
        page = context.new_page()
        for path in ("", "client/", "settings/", "repository/"):
            page.goto(f"{address}/docs/{path}")
            wide, screen = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
            assert wide <= screen, path
