"""The React example, built by Vite, in the browser: a whole check through `<LivenessCheck>`, under StrictMode.

It is built for development, since only then React mounts twice what is in StrictMode, and tells what is wrong. The service
is one that answers from a script, since its judgement is not what is tested; the camera is Chromium's own moving picture.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flask
import pytest
from playwright.sync_api import Browser, Page, Playwright

from tests.documented_server import PATH, Server, app_of, completed, passed, reply, serving
from tests.e2e.browser import launched
from tests.node_packages import ROOT, packed, project, require_node, run
from tests.waiting import PATIENCE

EXAMPLE = ROOT / "api" / "clients" / "examples" / "react"
WHOLE = [reply(), passed("TURN_LEFT", 1), *[reply("BLINK", challenges_remaining=1)] * 3, completed(live=True)]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, built with each version of React."""
    require_node()
    folder = tmp_path_factory.mktemp("react")
    archive = packed(folder / "packed")
    for react in (18, 19):
        app = project(folder / str(react), archive, react=react)
        shutil.copytree(EXAMPLE, app, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules", "dist"))
        run(
            *(app / "node_modules" / ".bin" / "vite", "build", "--mode", "development", "--base", f"/{react}/"),
            *("--outDir", folder / "built" / str(react)),
            cwd=app,
            NODE_ENV="development",
            VITE_LIVENESS_API=PATH.removesuffix("/sessions"),
        )
    return folder / "built"


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """A browser with a camera that shows Chromium's own moving picture."""
    with launched(playwright, None, "--use-fake-device-for-media-stream") as browser:
        yield browser


class Host(Server):
    """The service and the site of the app, at one address."""

    #: What the app asked its server for.
    wishes: list[Any]

    def app(self, built: Path) -> flask.Flask:
        self.wishes = []
        app = app_of(self)
        app.get("/<path:name>", endpoint="app")(lambda name: flask.send_from_directory(built, name))
        app.post("/session")(self.begin)
        return app

    def begin(self) -> Any:
        self.wishes.append(flask.request.get_json())
        return self.create() | {"token": "a.token"}


@dataclass
class App:
    """The app as a person meets it."""

    page: Page
    host: Host
    complaints: list[str]

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def says(self, text: str) -> None:
        """Wait until the app says so."""
        self.page.locator("main > p[role=status]", has_text=re.compile(f"^{text}$")).wait_for()

    def shows(self, screen: str) -> None:
        """Wait until the element shows this screen."""
        self.page.locator(f'liveness-check section[data-screen="{screen}"]').wait_for()

    def until(self, true: Callable[[], object]) -> None:
        """Wait for what must come about, while the page goes on."""
        for _ in range(int(PATIENCE * 20)):
            if true():
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"it did not come about; {self.complaints}")


@pytest.fixture(params=[18, 19], ids=["react18", "react19"])
def app(request: pytest.FixtureRequest, built: Path, browser: Browser) -> Iterator[App]:
    host = Host()
    with serving(host.app(built)) as host.url:
        context = browser.new_context(locale="en-GB", permissions=["camera"])
        page = context.new_page()
        page.set_default_timeout(1000 * PATIENCE)
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: said.type in ("error", "warning") and complaints.append(said.text))
        page.goto(f"{host.url}/{request.param}/index.html")
        app = App(page, host, complaints)
        app.press("Show that you are there")
        app.shows("intro")
        yield app
        context.close()


def test_a_whole_check_goes_on_while_its_component_is_rendered_anew(app: App) -> None:
    """Each challenge renders the app again, with other handlers: those of the latest rendering hear of it, each once."""
    assert app.page.locator("liveness-check").get_attribute("class") == "check"
    app.host.script = list(WHOLE)
    app.press("Start")
    app.says("1 of 2, 2 of 2, thank you after 2 steps")
    assert app.host.wishes == [{"exclude": []}]
    assert not app.host.cancelled
    assert app.complaints == []


def test_the_check_ends_with_its_component(app: App) -> None:
    """Begun by the component's ref, and taken out of the page: the camera is closed, and nothing more is sent."""
    count: Counter[str] = Counter()
    for kind in ("request", "requestfinished", "requestfailed"):
        app.page.on(kind, lambda request, kind=kind: count.update([kind] * ("/frame" in request.url)))
    app.press("Begin at once")
    app.until(lambda: app.host.frames)
    video = "document.querySelector('liveness-check').shadowRoot.querySelector('video').srcObject"
    stream = app.page.evaluate_handle(video)
    assert stream.evaluate("(stream) => stream.active")
    app.press("Not now")
    app.until(lambda: not stream.evaluate("(stream) => stream.active"))
    app.until(lambda: count["request"] == count["requestfinished"] + count["requestfailed"])
    sent = count["request"]
    app.press("Show that you are there")
    app.shows("intro")
    assert count["request"] == sent
    assert len(app.host.wishes) == 1
    assert app.complaints == []
