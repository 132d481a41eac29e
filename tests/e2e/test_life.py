"""The element's life belongs to its page: all that may happen to it, in every state that it may be in, in a real browser.

The camera, the service and the file of a language are scripted in the page (`stage.js`), so that each can be kept waiting; no
server runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, Route

from tests.e2e.browser import launched
from tests.waiting import PATIENCE

HERE = Path(__file__).parent
CLIENT = Path("api/clients/browser")
ORIGIN = "http://localhost:8201"  # nothing listens there: the test answers all requests itself

PAGE = """<!doctype html><html lang="en"><title>Host</title><main><h1>Host</h1><div id="box"></div><div id="other"></div></main>"""

#: The client's waits that the stage can hold or skip: the constants that hold their milliseconds.
WAITS = {
    "ready": ("check.js", "GET_READY"),
    "again": ("check.js", "BEGIN_AGAIN"),
    "praise": ("element.js", "PRAISE"),
    "read": ("element.js", "READ_AFTER"),
}

STATES = re.findall(r"^  (?:async )?(\w+)(?:\(\) \{|: (?:waiting|ended)\()", (HERE / "life_table.js").read_text(), re.MULTILINE)
HAPPENINGS = re.findall(r"^  (?:async )?(\w+)\(made\) \{", (HERE / "life_table.js").read_text(), re.MULTILINE)


def milliseconds(file: str, name: str) -> str:
    """A constant of the client."""
    found = re.search(rf"^const {name} = ([\d_]+);", (CLIENT / file).read_text(), re.MULTILINE)
    assert found, (file, name)
    return found[1].replace("_", "")


def serve(route: Route) -> None:
    """Answer from the disk."""
    name = route.request.url.removeprefix(ORIGIN).partition("?")[0]
    if name == "/":
        waits = {milliseconds(*constant): wait for wait, constant in WAITS.items()}
        script = f"<script>globalThis.waits = {waits}</script>"
        return route.fulfill(content_type="text/html", body=PAGE.replace("<main>", script + "<main>"))
    if name.startswith("/client/"):
        text = (CLIENT / name.removeprefix("/client/")).read_text()
        if name.endswith("/language.js"):
            text, changed = re.subn(r'(import\("\./locales/[^"]+"\))', r"globalThis.languageGate().then(() => \1)", text)
            assert changed == 3
        if name.endswith("/course.js"):  # at a faster pace, and a service that is away is given up sooner
            for usual, here in (("GIVE_UP_AFTER = 20_000", "GIVE_UP_AFTER = 500"), ("FASTEST = 100", "FASTEST = 10")):
                assert usual in text
                text = text.replace(usual, here)
        return route.fulfill(content_type="text/javascript", body=text)
    file = HERE / name.removeprefix("/")
    if file.is_file():
        return route.fulfill(content_type="text/javascript", body=file.read_text())
    return route.fulfill(status=404)


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """A browser without a camera: the stage has one."""
    with launched(playwright, None) as browser:
        yield browser


def opened(browser: Browser, **how: Any) -> Page:
    """The host's page, with the stage but without the element."""
    page = browser.new_context(**({"locale": "en-GB"} | how)).new_page()
    page.set_default_timeout(1000 * PATIENCE)
    page.route("**/*", serve)
    page.goto(ORIGIN)
    page.evaluate("async () => { globalThis.stage = await import('/stage.js'); stage.reset(); }")
    return page


@pytest.fixture(scope="module")
def table(chromium: Browser) -> Iterator[Page]:
    """The page that all cells of the table are played in."""
    page = opened(chromium)
    page.evaluate(
        "async () => { await import('/client/element.js'); globalThis.table = await import('/life_table.js'); }"
    )
    yield page
    page.context.close()


@pytest.fixture
def host(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page with an element in it: `host(attributes, element=…)`; `made` is the element."""
    contexts = []

    def new(attributes: dict[str, str] | None = None, **how: Any) -> Page:
        page = opened(chromium, **how)
        contexts.append(page.context)
        page.evaluate(
            """async (attributes) => {
                await import('/client/element.js');
                globalThis.made = stage.element(attributes);
                document.querySelector('#box').append(made);
                await stage.until(() => stage.screenOf(made) === 'intro');
            }""",
            attributes or {},
        )
        return page

    yield new
    for context in contexts:
        context.close()


def test_the_table_is_whole(table: Page) -> None:
    assert table.evaluate("[table.states, table.happenings]") == [STATES, HAPPENINGS]


@pytest.mark.parametrize("happening", HAPPENINGS)
@pytest.mark.parametrize("state", STATES)
def test_what_may_happen_in_each_state(table: Page, state: str, happening: str) -> None:
    """One check goes on, with one camera and one session, or none does and everything is given back; and there is a way on."""
    table.evaluate("([state, happening]) => table.cell(state, happening)", [state, happening])
