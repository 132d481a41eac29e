"""A browser with a camera that plays a film, and a person's view of the page."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Error, Locator, Page, Playwright, Request

from tests.waiting import PATIENCE

SCREEN = "liveness-check section[data-screen]"


def find_chromium() -> str:
    """The path of the machine's Chromium; without one the test is skipped, or fails in CI."""
    for name in (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"):
        if name and (found := shutil.which(name)):
            return found
    reason = "no Chromium (Debian: apt install chromium; or name one by CHROMIUM)"
    if os.environ.get("CI"):
        pytest.fail(f"{reason}; in CI it must be", pytrace=False)
    pytest.skip(reason)


@contextmanager
def launched(playwright: Playwright, film: Path | None, *more: str) -> Iterator[Browser]:
    """The browser; `film` is what its camera sees, None: it has no camera."""
    camera = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film}"] if film else []
    browser = playwright.chromium.launch(
        executable_path=find_chromium(),
        args=[
            "--no-sandbox",  # CI runs as root
            *camera,
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            *more,
        ],
    )
    try:
        yield browser
    finally:
        browser.close()


@dataclass
class View:
    """The page, as a person meets it, and what it did on the wire."""

    page: Page
    url: str
    #: Frames posted: when, in the page's milliseconds.
    frames: list[Request] = field(default_factory=list)
    most_under_way: int = 0
    bodies: dict[str, int] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    _under_way: set[Request] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(1000 * PATIENCE)
        self.page.on("request", self._sent)
        self.page.on("requestfinished", self._answered)
        self.page.on("requestfailed", self._answered)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda said: self._said(said.type, said.text))

    def open(self, query: str = "") -> View:
        """Go to the page; returns when it can be used."""
        self.page.goto(f"{self.url}/{query}")
        self.page.locator(SCREEN).wait_for()
        # Whatever the element tells its host is kept for the test to read.
        self.page.evaluate(
            """() => {
                globalThis.told = [];
                for (const kind of ["session", "challenge", "hint", "passed", "waiting", "resumed", "completed", "failed"])
                    document.querySelector("liveness-check").addEventListener(
                        `liveness-${kind}`, (event) => told.push([kind, event.detail, performance.now()]));
            }"""
        )
        return self

    def button(self, name: str) -> Locator:
        """A button by what it says."""
        return self.page.get_by_role("button", name=name)

    def press(self, name: str) -> None:
        """Click a button as a person would: where it is."""
        self.button(name).click()

    def wait_for(self, screen: str, within: float = PATIENCE) -> None:
        """Wait until a screen is there: intro, camera, done, failed or error."""
        try:
            self.page.locator(f'{SCREEN}[data-screen="{screen}"]').wait_for(timeout=within * 1000)
        except Error as error:
            told = json.dumps(self.page.evaluate("told"))[-3000:]
            raise AssertionError(f"no {screen}; {self.words!r}; {self.complaints}; {told}") from error

    def until(self, condition: str, within: float = PATIENCE) -> None:
        """Wait for a JavaScript expression to be true.

        Playwright's own way needs `eval`, which the page's policy forbids.
        """
        deadline = time.monotonic() + within
        while not self.page.evaluate(condition):
            assert time.monotonic() < deadline, f"never {condition}; {self.words!r}; {self.complaints}"
            self.page.wait_for_timeout(30)

    def until_told(self, kind: str, times: int = 1) -> None:
        """Wait until the element has told its host this so many times."""
        self.until(f"told.filter(([kind]) => kind === '{kind}').length >= {times}")

    @property
    def under_way(self) -> int:
        """Frames posted that have no answer yet."""
        return len(self._under_way)

    @property
    def words(self) -> str:
        """What can be read in the element just now."""
        return self.page.locator(SCREEN).inner_text()

    def told(self, kind: str) -> list[Any]:
        """The details of the element's events of a kind."""
        return [detail for what, detail, _ in self.page.evaluate("told") if what == kind]

    def at(self, kind: str) -> list[float]:
        """When they came, in the page's milliseconds."""
        return [at for what, _, at in self.page.evaluate("told") if what == kind]

    def has_no_barrier(self) -> None:
        """Nothing that axe knows to keep people out: names, roles, contrast, order, languages."""
        found = Axe().run(self.page)
        assert found.violations_count == 0, found.generate_report()

    def fits(self) -> None:
        """Nothing is cut off at the sides, and nothing needs to be scrolled sideways."""
        width, inner = self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert width <= inner, f"{width} pixels wide on a screen of {inner}"

    def shows_whole(self, *selectors: str) -> None:
        """Each of these is in the screen, without scrolling."""
        size = self.page.viewport_size
        assert size is not None
        for selector in selectors:
            box = self.page.locator(selector).bounding_box()
            assert box is not None, selector
            assert box["x"] >= 0, (selector, box)
            assert box["y"] >= 0, (selector, box)
            assert box["x"] + box["width"] <= size["width"] + 0.5, (selector, box)
            assert box["y"] + box["height"] <= size["height"] + 0.5, (selector, box)

    def _sent(self, request: Request) -> None:
        if request.url.partition("?")[0].endswith("/frame"):
            self.frames.append(request)
            self._under_way.add(request)
            self.most_under_way = max(self.most_under_way, len(self._under_way))

    def _answered(self, request: Request) -> None:
        self._under_way.discard(request)

    def _said(self, kind: str, text: str) -> None:
        # What the network does is told there as well; tests of that know it.
        if kind in ("error", "warning") and "Failed to load resource" not in text:
            self.complaints.append(text)
