"""The React example, built by Vite, in the browser: a whole check through `<LivenessCheck>`, under StrictMode.

It is built for development, since only then React mounts twice what is in StrictMode and tells what is wrong.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import flask
import httpx
import pytest
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from tests.e2e.site import Site
from tests.node_packages import ROOT, packed, project, require_node, run
from tests.waiting import PATIENCE

SESSIONS = "/api/v1/liveness/sessions"
EXAMPLE = ROOT / "api" / "clients" / "examples" / "react"


@dataclass
class Host:
    """The site that has the app, with a server that creates sessions."""

    url: str
    api: str
    #: What a session is asked for.
    asked: dict[str, Any]
    created: list[dict[str, Any]] = field(default_factory=list)

    def app(self, built: Path) -> flask.Flask:
        app = flask.Flask(__name__, static_folder=str(built), static_url_path="")
        app.get("/<int:react>/")(lambda react: flask.send_file(built / str(react) / "index.html"))
        app.post("/session")(self.create)
        return app

    def create(self) -> Any:
        exclude = ",".join(flask.request.get_json()["exclude"])
        made = httpx.post(f"{self.api}{SESSIONS}", params=self.asked | ({"exclude": exclude} if exclude else {}))
        self.created.append(made.raise_for_status().json())
        return self.created[-1]

    def session(self) -> httpx.Response:
        """What the service says of the latest session."""
        return httpx.get(f"{self.api}{SESSIONS}/{self.created[-1]['session_id']}")


@pytest.fixture(scope="module")
def host(site: Site, gestures: str, patience: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    require_node()
    folder = tmp_path_factory.mktemp("react")
    archive = packed(folder / "packed")
    asked = {"challenge_types": gestures, "num_challenges": 2, "timeout_seconds": patience, "token": "true"}
    host = Host("", site.url, asked | {"reveal": "next", "sequence": "required"})
    (folder / "built").mkdir()
    server = make_server("127.0.0.1", 0, host.app(folder / "built"), threaded=True)
    host.url = f"http://localhost:{server.port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    with site.beside(CORS_ORIGINS=host.url) as service:
        for react in (18, 19):
            app = project(folder / str(react), archive, react=react)
            shutil.copytree(EXAMPLE, app, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules", "dist"))
            run(
                *(app / "node_modules" / ".bin" / "vite", "build", "--mode", "development", "--base", f"/{react}/"),
                *("--outDir", folder / "built" / str(react)),
                cwd=app,
                NODE_ENV="development",
                VITE_LIVENESS_API=f"{service}/api/v1/liveness",
            )
        yield host
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class App:
    """The app as a person meets it."""

    page: Page
    complaints: list[str]

    def said(self, text: str) -> None:
        """Wait until the app says so."""
        self.page.locator("p[role=status]", has_text=text).first.wait_for()

    def screen(self, name: str) -> None:
        """Wait until the element shows this screen."""
        self.page.locator(f'liveness-check section[data-screen="{name}"]').wait_for()


@pytest.fixture(params=[18, 19], ids=["react18", "react19"])
def app(request: pytest.FixtureRequest, host: Host, browser: Browser) -> Iterator[App]:
    context = browser.new_context(locale="en-GB", permissions=["camera"])
    page = context.new_page()
    page.set_default_timeout(1000 * PATIENCE)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: said.type in ("error", "warning") and complaints.append(said.text))
    host.created.clear()
    page.goto(f"{host.url}/{request.param}/")
    page.get_by_role("button", name="Show that you are there").click()
    yield App(page, complaints)
    context.close()


def test_a_whole_check_goes_on_while_its_component_is_rendered_anew(app: App, host: Host) -> None:
    """Each challenge renders the app anew, with other handlers; there is one session, and the handler hears of its end."""
    app.screen("intro")
    assert app.page.locator("liveness-check").get_attribute("class") == "check"
    app.page.get_by_role("button", name="Start").click()
    app.said("1 of 2")
    app.said("2 of 2")
    app.said("Thank you.")
    assert len(host.created) == 1
    assert host.session().json()["is_live"] is True
    assert app.complaints == []


def test_the_check_ends_with_its_component(app: App, host: Host) -> None:
    """Begun by the component's ref, and taken out of the page: the session is cancelled, the camera closed."""
    frames: list[str] = []
    app.page.on("request", lambda request: "/frame" in request.url and frames.append(request.url))
    app.screen("intro")
    app.page.get_by_role("button", name="Begin at once").click()
    app.screen("camera")
    until(app.page, lambda: frames)
    stream = app.page.evaluate_handle(
        "document.querySelector('liveness-check').shadowRoot.querySelector('video').srcObject"
    )
    assert stream.evaluate("(stream) => stream.active")
    app.page.get_by_role("button", name="Not now").click()
    until(app.page, lambda: host.session().status_code == 404)
    until(app.page, lambda: not stream.evaluate("(stream) => stream.active"))
    assert len(host.created) == 1
    app.page.get_by_role("button", name="Show that you are there").click()
    app.screen("intro")
    assert app.complaints == []


def until(page: Page, true: Callable[[], object]) -> None:
    """Wait for what must come about, while the page goes on."""
    for _ in range(int(PATIENCE * 20)):
        if true():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it did not come about")
