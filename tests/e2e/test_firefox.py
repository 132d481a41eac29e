"""The check in Firefox: to its end before a slow camera, with what privacy modes withhold, and away from its page."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.e2e.firefox import Firefox, firefox
from tests.e2e.site import Site
from tests.e2e.tape import PLAYED

#: The camera shows every fourth picture of the film, and so as few a second as one in a dim room.
EVERY = 4
FPS = PLAYED / EVERY

#: A camera that shows the pictures of the film, and keeps its track for the test to look at.
CAMERA = """
const pictures = await Promise.all(JSON.parse(arguments[0]).map((data) => createImageBitmap(
    new Blob([Uint8Array.from(atob(data), (byte) => byte.charCodeAt(0))], { type: "image/jpeg" }))));
const canvas = Object.assign(document.createElement("canvas"), { width: pictures[0].width, height: pictures[0].height });
const context = canvas.getContext("2d");
const began = performance.now();
const show = () => context.drawImage(pictures[Math.floor((performance.now() - began) / 1000 * FPS) % pictures.length], 0, 0);
show();
globalThis.tracks = [];
navigator.mediaDevices.getUserMedia = async () => {
    const stream = canvas.captureStream();
    tracks.push(...stream.getTracks());
    setInterval(show, 1000 / FPS);
    return stream;
};
"""
#: Keeps a hash of every picture that is sent.
WATCH = """
globalThis.sent = [];
const real = window.fetch;
window.fetch = async (address, options) => {
    const picture = options?.body?.get?.("image");
    if (picture) {
        const hash = await crypto.subtle.digest("SHA-1", await picture.arrayBuffer());
        sent.push(String(new Uint8Array(hash)));
    }
    return real(address, options);
};
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    with firefox(tmp_path_factory.mktemp("firefox") / "profile") as running:
        yield running


@pytest.fixture(scope="module")
def pictures(film: Path) -> str:
    """The film's pictures that the camera shows, small, as a JSON list of Base64."""
    whole = film.read_bytes().split(b"\xff\xd8\xff")[1:]
    encoded = []
    for jpeg in whole[::EVERY]:
        picture = cv2.imdecode(np.frombuffer(b"\xff\xd8\xff" + jpeg, np.uint8), cv2.IMREAD_COLOR)
        encoded.append(base64.b64encode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 85])[1]).decode())
    return json.dumps(encoded)


def test_a_whole_session_before_a_slow_camera(
    browser: Firefox, site: Site, pictures: str, gestures: str, patience: int
) -> None:
    browser.open(f"{site.url}/?challenges=1&types={gestures.partition(',')[0]}&timeout={patience}")
    browser.has_no_barrier()
    browser.run(CAMERA.replace("FPS", str(FPS)), pictures)
    browser.run(WATCH)
    browser.press("Start")
    browser.until("told.some(([kind]) => kind === 'session')")
    browser.has_no_barrier()
    browser.until("told.some(([kind]) => ['completed', 'failed', 'error'].includes(kind))", 3 * patience)
    assert browser.told("completed") == [True], browser.words
    sent = browser.evaluate("sent")
    assert len(sent) > 10
    assert len(set(sent)) == len(sent), "no picture is sent twice"
    assert browser.evaluate("tracks.map((track) => track.readyState)") == ["ended"]
    browser.until(
        "document.querySelector('liveness-check').shadowRoot.querySelector('section').dataset.screen === 'done'"
    )
    browser.has_no_barrier()


def test_cancelled_or_removed_it_leaves_the_camera(browser: Firefox, site: Site) -> None:
    """Before Firefox's own camera, which shows a pattern."""
    browser.open(site.url)
    browser.run(
        """globalThis.tracks = [];
        const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = async (wanted) => {
            const stream = await real(wanted);
            tracks.push(...stream.getTracks());
            return stream;
        };"""
    )
    ended = "tracks.length === {} && tracks.every((track) => track.readyState === 'ended')"
    browser.press("Start")
    browser.until("told.some(([kind]) => kind === 'hint')")
    browser.press("Cancel")
    browser.until(ended.format(1))
    assert browser.screen == "intro"
    browser.press("Start")
    browser.until("tracks.length === 2")
    browser.run("document.querySelector('liveness-check').remove();")
    browser.until(ended.format(2))


def test_a_privacy_mode_that_withholds_pixels_is_told(site: Site, tmp_path: Path) -> None:
    with firefox(tmp_path / "profile", privacy_resistFingerprinting=True) as browser:
        browser.open(site.url)
        browser.press("Start")
        browser.until("told.some(([kind]) => kind === 'error')")
        assert browser.told("error") == ["pixels_withheld"]
        assert "Your browser hides the camera’s pictures" in browser.words
        browser.has_no_barrier()
