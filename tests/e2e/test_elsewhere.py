"""The page where it is not alone on its host: below a path of a proxy, and in another site's iframe."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, FrameLocator

from ops.run.ports import free_port
from tests.e2e.browser import SCREEN, View
from tests.e2e.site import Site
from tests.integration.serving.nginx import running_nginx
from tests.waiting import PATIENCE, until


@pytest.mark.parametrize("left", [True, False], ids=["left", "taken off"])
def test_below_a_path_frames_are_judged(site: Site, browser: Browser, tmp_path: Path, left: bool) -> None:
    """The proxy leaves the path, and the service has a setting for it; or takes it off, and the service knows nothing."""
    front = free_port()
    with site.beside(BASE_PATH="/liveness") if left else nullcontext(site.url) as behind:
        web = f"http://127.0.0.1:{urlsplit(behind).port}{'' if left else '/'}"
        location = f"location /liveness/ {{ proxy_pass {web}; }}"
        with running_nginx(tmp_path, f"server {{ listen 127.0.0.1:{front}; {location} }}", front):
            context = browser.new_context(permissions=["camera"], locale="en-GB")
            view = View(context.new_page(), f"http://127.0.0.1:{front}/liveness")
            asked: list[str] = []
            view.page.on("request", lambda request: asked.append(request.url))
            view.open("?challenges=1&timeout=60&types=SMILE")  # a smile is not in the film: it goes on
            view.press("Start")
            view.wait_for("camera")
            view.until_told("challenge")
            view.page.screenshot(path=tmp_path / "below.png")
            assert view.complaints == []
            assert all(url.startswith(f"{view.url}/") for url in asked), asked
            assert any("/sessions/" in url and "/frame" in url for url in asked)
            assert view.page.get_by_text("API", exact=True).get_attribute("href") == "docs"
            view.press("Cancel")
            context.close()


@contextmanager
def another_site(embedded: str) -> Iterator[str]:
    """A website whose page shows the address in an iframe that may use the camera; its own address."""
    html = (
        f'<!doctype html><title>Shop</title><iframe src="{embedded}" allow="camera" width="900" height="700"></iframe>'
    )

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class TestInAnIframe:
    """The other site is http://127.0.0.1, the service http://localhost: to the browser two sites."""

    def open(self, browser: Browser, url: str) -> tuple[FrameLocator, list[str]]:
        page = browser.new_context(permissions=["camera"], locale="en-GB").new_page()
        page.set_default_timeout(1000 * PATIENCE)
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.goto(url)
        return page.frame_locator("iframe"), said

    def test_of_a_named_site_the_camera_opens_and_a_challenge_comes(self, site: Site, browser: Browser) -> None:
        port = free_port()
        address = f"http://localhost:{port}/?challenges=1&timeout=60&types=SMILE"
        with another_site(address) as shop, site.beside(FRAME_ANCESTORS=shop, PORT=str(port)):
            frame, _ = self.open(browser, shop)
            frame.get_by_role("button", name="Start").click()
            frame.locator(f'{SCREEN}[data-screen="camera"]').wait_for()
            frame.get_by_text("Smile").first.wait_for()
            frame.get_by_role("button", name="Cancel").click()
            frame.owner.page.context.close()

    def test_of_another_the_browser_shows_nothing(self, site: Site, browser: Browser) -> None:
        with another_site(f"{site.url}/") as shop:
            frame, said = self.open(browser, shop)
            until(lambda: frame.owner.page.wait_for_timeout(50) or any("frame-ancestors" in text for text in said))
            assert any("frame-ancestors" in text for text in said)
            assert frame.locator(SCREEN).count() == 0
            frame.owner.page.context.close()
