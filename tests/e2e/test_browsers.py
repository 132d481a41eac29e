"""Browsers and cameras other than a current Chromium's with a good one: each works, or says in one sentence what to do."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
from playwright.sync_api import Browser

from tests.e2e.browser import View
from tests.e2e.firefox import Firefox, firefox
from tests.e2e.site import Site
from tests.e2e.tape import PLAYED

Visit = Callable[..., View]

#: Keeps a hash of every picture that is sent.
WATCH = """
globalThis.sent = [];
const realFetch = window.fetch;
window.fetch = async (address, options) => {
    const picture = options?.body?.get?.("image");
    if (picture) {
        const bytes = new Uint8Array(await picture.arrayBuffer());
        sent.push(`${bytes.length} ${bytes.reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193), 7)}`);
    }
    return realFetch(address, options);
};
"""
#: A camera that draws something else CHANGES times a second, and gives 30 pictures a second all the same.
PATTERN = """
navigator.mediaDevices.getUserMedia = async () => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 240 });
    const context = canvas.getContext("2d");
    const draw = () => {
        context.fillStyle = `hsl(${Math.random() * 360} 50% 50%)`;
        context.fillRect(Math.random() * 200, Math.random() * 100, 100, 100);
    };
    draw();
    setInterval(draw, 1000 / CHANGES);
    const stream = canvas.captureStream(0);
    setInterval(() => stream.getTracks()[0].requestFrame(), 1000 / 30);
    return stream;
};
"""
NO_CALLBACK = "delete HTMLVideoElement.prototype.requestVideoFrameCallback;"
#: What Safari 15 lacks, and some web views and privacy modes: of what the client would like to have.
LACKING = (
    NO_CALLBACK
    + """
delete HTMLCanvasElement.prototype.toBlob;
delete window.createImageBitmap;
delete window.structuredClone;
delete AbortSignal.timeout;
delete AbortSignal.any;
delete Array.prototype.at;
delete Array.prototype.findLast;
delete Object.hasOwn;
delete Crypto.prototype.randomUUID;
delete Navigator.prototype.wakeLock;
delete Navigator.prototype.vibrate;
delete window.speechSynthesis;
for (const [kind, name] of [[Crypto, "subtle"], [Navigator, "languages"], [Navigator, "language"]])
    Object.defineProperty(kind.prototype, name, { get: () => undefined });
"""
)
OLD_SHEETS = """
window.CSSStyleSheet = class { constructor() { throw new TypeError("Illegal constructor"); } };
delete ShadowRoot.prototype.adoptedStyleSheets;
"""
WHITE = """CanvasRenderingContext2D.prototype.getImageData = (x, y, width, height) =>
    new ImageData(new Uint8ClampedArray(4 * width * height).fill(255), width, height);"""
NOISE = """CanvasRenderingContext2D.prototype.getImageData = (x, y, width, height) =>
    new ImageData(new Uint8ClampedArray(4 * width * height).map(() => 256 * Math.random()), width, height);"""
BLOCKED = (
    """CanvasRenderingContext2D.prototype.getImageData = () => { throw new DOMException("no", "SecurityError"); };"""
)
NO_BLOB = "HTMLCanvasElement.prototype.toBlob = (give) => give(null);"
#: As Brave's: the lowest bits of some pixels are not true, which leaves a picture what it is.
FAINT_NOISE = """
const realData = CanvasRenderingContext2D.prototype.getImageData;
CanvasRenderingContext2D.prototype.getImageData = function (...area) {
    const pixels = realData.apply(this, area);
    for (let i = 0; i < pixels.data.length; i += 13) pixels.data[i] ^= 1;
    return pixels;
};
"""


@pytest.fixture
def visit(site: Site, browser: Browser) -> Iterator[Visit]:
    """Opens the page in Chromium, after a script that makes it another browser."""
    contexts = []

    def new(script: str, query: str = "") -> View:
        context = browser.new_context(locale="en-GB", permissions=["camera"])
        contexts.append(context)
        context.add_init_script(script)
        return View(context.new_page(), site.url).open(query)

    yield new
    for context in contexts:
        context.close()


def test_safari_before_16_4_gets_its_style(visit: Visit) -> None:
    view = visit(OLD_SHEETS)
    start = view.button("Start")
    style = "(button) => [getComputedStyle(button).borderRadius, getComputedStyle(button).fontWeight]"
    assert start.evaluate(style) == ["999px", "600"]
    view.has_no_barrier()
    assert not view.complaints, "the page's policy allows the style"


def test_a_page_that_cannot_start_is_not_empty(visit: Visit, site: Site) -> None:
    page = visit("").page
    page.route("**/page.js", lambda route: route.abort())
    page.goto(site.url)
    page.get_by_text("open it in a current version").wait_for()


def test_what_older_browsers_lack_is_not_needed(visit: Visit) -> None:
    view = visit(WATCH + LACKING)
    view.press("Start")
    view.until("sent.length > 5 && told.some(([kind]) => kind === 'hint' || kind === 'challenge')")
    assert not view.complaints


@pytest.mark.parametrize("lacking", ["", NO_CALLBACK], ids=["called", "not called"])
def test_a_slow_camera_s_pictures_are_sent_once(visit: Visit, lacking: str) -> None:
    """The camera repeats each of its five pictures a second, and says that each is a new one."""
    view = visit(WATCH + PATTERN.replace("CHANGES", "5") + lacking)
    view.press("Start")
    view.until("sent.length >= 12")
    sent = view.page.evaluate("sent")
    assert len(set(sent)) == len(sent)


def test_a_camera_of_one_picture_a_second_is_told(visit: Visit) -> None:
    view = visit(WATCH + PATTERN.replace("CHANGES", "1"), "?timeout=60")
    view.press("Start")
    view.wait_for("error")
    assert "The camera is too slow" in view.words
    assert "Turn on more light" in view.words
    assert view.button("Try again").is_visible()
    sent = view.page.evaluate("sent")
    assert len(set(sent)) == len(sent)


@pytest.mark.parametrize("timeout", [60, 4], ids=["in time", "out of time"])
def test_a_camera_that_freezes_is_told(visit: Visit, timeout: int) -> None:
    """Also where the challenge's time is over first: that was not the person's fault."""
    view = visit(WATCH, f"?timeout={timeout}&types=SMILE&challenges=1")
    view.press("Start")
    view.until("sent.length > 3")
    view.page.locator("liveness-check video").evaluate("(video) => video.pause()")
    view.wait_for("error", within=45)  # before the sixty seconds are over
    assert "The camera’s picture stands still" in view.words
    assert view.button("Try again").is_visible()
    view.has_no_barrier()


@pytest.mark.parametrize("script", [WHITE, NOISE, BLOCKED, NO_BLOB], ids=["white", "noise", "blocked", "no blob"])
def test_a_browser_that_withholds_pixels_is_told(visit: Visit, script: str) -> None:
    view = visit(script)
    view.press("Start")
    view.wait_for("error")
    assert "Your browser hides the camera’s pictures" in view.words


def test_faint_noise_does_no_harm(visit: Visit) -> None:
    view = visit(WATCH + FAINT_NOISE)
    view.press("Start")
    view.until("sent.length > 5")


# --- Firefox ------------------------------------------------------------------------------------------------------------

#: The camera shows every fourth picture of the film, and so as few a second as one in a dim room.
EVERY = 4
FPS = PLAYED / EVERY
TRIES = 3
#: A camera that shows the pictures of the film, and keeps its track for the test to look at.
CAMERA = """
const pictures = await Promise.all(JSON.parse(arguments[0]).map((data) => createImageBitmap(
    new Blob([Uint8Array.from(atob(data), (byte) => byte.charCodeAt(0))], { type: "image/jpeg" }))));
const canvas = Object.assign(document.createElement("canvas"), { width: pictures[0].width, height: pictures[0].height });
const context = canvas.getContext("2d");
document.querySelector("liveness-check").addEventListener("liveness-session", ({ detail }) => {
    globalThis.session = detail.session.session_id;
});
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


@pytest.fixture(scope="module")
def fox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
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
    fox: Firefox, site: Site, pictures: str, gestures: str, patience: int
) -> None:
    """A machine that is busy may miss the gesture, or too much of the face: then the person tries again."""
    fox.open(f"{site.url}/?challenges=1&types={gestures.partition(',')[0]}&timeout={patience}")
    fox.has_no_barrier()
    fox.run(CAMERA.replace("FPS", str(FPS)), pictures)
    fox.run(WATCH)
    fox.press("Start")
    for attempt in range(1, TRIES + 1):
        fox.until(f"told.filter(([kind]) => kind === 'session').length === {attempt}")
        fox.until(f"told.filter(([kind]) => ['completed', 'failed', 'error'].includes(kind)).length === {attempt}")
        if True in fox.told("completed"):
            break
        assert not fox.told("error"), fox.words
        found = httpx.get(f"{site.url}/api/v1/liveness/sessions/{fox.evaluate('session')}/evidence").json()["findings"]
        scores = {finding["code"]: finding["score"] for finding in found}
        assert scores.get("repeated", 0) == 0
        assert scores.get("unseen", 1) > 0, "it is not live for nothing else"
        fox.press("Try again")
    assert True in fox.told("completed")
    sent = fox.evaluate("sent")
    assert len(sent) > 10
    assert len(set(sent)) == len(sent), "no picture is sent twice"
    assert set(fox.evaluate("tracks.map((track) => track.readyState)")) == {"ended"}
    fox.until("document.querySelector('liveness-check').shadowRoot.querySelector('section').dataset.screen === 'done'")
    fox.has_no_barrier()


def test_cancelled_or_removed_it_leaves_the_camera(fox: Firefox, site: Site) -> None:
    """Before Firefox's own camera, which shows a pattern."""
    fox.open(site.url)
    fox.run(
        """globalThis.tracks = [];
        const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = async (wanted) => {
            const stream = await real(wanted);
            tracks.push(...stream.getTracks());
            return stream;
        };"""
    )
    ended = "tracks.length === {} && tracks.every((track) => track.readyState === 'ended')"
    fox.press("Start")
    fox.until("told.some(([kind]) => kind === 'hint')")
    fox.press("Cancel")
    fox.until(ended.format(1))
    assert fox.screen == "intro"
    fox.press("Start")
    fox.until("tracks.length === 2")
    fox.run("document.querySelector('liveness-check').remove();")
    fox.until(ended.format(2))


def test_a_privacy_mode_that_withholds_pixels_is_told(site: Site, tmp_path: Path) -> None:
    with firefox(tmp_path / "profile", privacy_resistFingerprinting=True) as fox:
        fox.open(site.url)
        fox.press("Start")
        fox.until("told.some(([kind]) => kind === 'error')")
        assert fox.told("error") == ["pixels_withheld"]
        assert "Your browser hides the camera’s pictures" in fox.words
        fox.has_no_barrier()
