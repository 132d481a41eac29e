"""The check at `/`, gone through in a real browser with a real (fake) camera, against the whole service."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Browser, Playwright, Route

from tests.e2e.browser import SCREEN, View, launched
from tests.e2e.site import Site
from tests.waiting import PATIENCE

SESSIONS = "/api/v1/liveness/sessions"
Look = Callable[..., View]

#: Bytes, of everything that the page loads before the button can be pressed.
FIRST_PAINT = 120_000


def asking(gestures: str, **more: object) -> str:
    """The page's query for a session of what is in the film."""
    wanted = {"challenges": 2, "types": gestures, "timeout": 20} | more
    return "?" + "&".join(f"{name}={value}" for name, value in wanted.items())


def session_of(view: View) -> str:
    """The id of the session under way."""
    return str(view.told("session")[-1]["session"]["session_id"])


def test_a_whole_session_by_clicking(look: Look, gestures: str, patience: int, site: Site) -> None:
    """From the first look to "Done", as a person would; and what went over the wire meanwhile."""
    view = look(asking(gestures, timeout=patience))
    assert view.page.title() == "Show that you are a real person"
    assert view.page.evaluate("document.activeElement === document.body"), "nothing takes the focus unasked"
    view.has_no_barrier()

    view.press("Start")
    view.wait_for("camera")
    view.until_told("challenge")
    view.has_no_barrier()
    view.wait_for("done", within=2 * patience)
    view.has_no_barrier()

    assert "Done, thank you" in view.words
    assert view.page.evaluate("document.querySelector('liveness-check').shadowRoot.activeElement.tagName") == "H2"
    assert [told["index"] for told in view.told("passed")] == [0, 1]
    assert view.told("completed") == [{"isLive": True}]
    looked = httpx.get(f"{site.url}{SESSIONS}/{session_of(view)}").json()
    assert (looked["state"], looked["is_live"]) == ("completed", True)
    evidence = httpx.get(f"{site.url}{SESSIONS}/{session_of(view)}/evidence").json()
    scores = [finding["score"] for finding in evidence["findings"] if finding["code"] == "camera"]
    assert len(scores) == 2, "the browser says what camera it has, with the frames of either challenge"
    assert max(scores) < 0.5, "Chromium's own fake camera is plausible"
    carried = [len(parse_qs(urlsplit(frame.url).query).get("nonces", [""])[0].split(",")) for frame in view.frames]
    assert max(carried) == 12, "each frame answers the last answers"
    assert not view.complaints
    assert view.page.evaluate("navigator.mediaDevices.enumerateDevices().then((all) => all.length)") >= 1


def test_frames_are_small_unmirrored_and_never_more_than_two_under_way(look: Look, gestures: str) -> None:
    view = look(asking(gestures))
    view.page.evaluate(
        """() => {
            const toBlob = HTMLCanvasElement.prototype.toBlob;
            globalThis.pictures = [];
            HTMLCanvasElement.prototype.toBlob = function (give, ...how) {
                pictures.push([this.width, this.height, this.toDataURL("image/png"), performance.now()]);
                return toBlob.call(this, give, ...how);
            };
        }"""
    )
    view.press("Start")
    view.until("globalThis.pictures.length > 20")
    pictures = view.page.evaluate("pictures.map(([width, height, , at]) => [width, height, at])")
    assert {(width, height) for width, height, _ in pictures} == {(640, 480)}
    seconds = (pictures[-1][2] - pictures[0][2]) / 1000
    assert 2 <= (len(pictures) - 1) / seconds <= 10.5, "frames a second; fewer than five where this machine is busy"
    assert 1 <= view.most_under_way <= 2
    # The preview is mirrored, what is sent is not: the picture on the wall, right in the film, is right in the frame.
    assert "matrix(-1" in view.page.locator("liveness-check video").evaluate(
        "video => getComputedStyle(video).transform"
    )
    frame = view.page.evaluate("pictures[0][2]")
    assert _reds(frame, "right") > _reds(frame, "left")


def test_no_third_frame_is_sent_while_two_have_no_answer(look: Look) -> None:
    view = look("?challenges=1&types=LOOK_UP&timeout=30")
    view.page.route("**/frame", lambda route: None)  # on its way for ever
    view.press("Start")
    view.until_told("session")
    view.page.wait_for_timeout(1500)
    assert len(view.frames) == 2


def _reds(address: str, side: str) -> int:
    """How many strongly coloured pixels the upper right or left of a picture has."""
    image = Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))).convert("HSV")
    half = image.crop((320, 0, 640, 240) if side == "right" else (0, 0, 320, 240))
    return sum(saturation > 150 for _, saturation, _ in half.get_flattened_data())


def test_the_first_paint_is_small_and_loads_nothing_from_elsewhere(site: Site, browser: Browser) -> None:
    loaded: dict[str, int] = {}
    with browser.new_context() as context:
        page = context.new_page()
        page.on("response", lambda answer: loaded.update({answer.url: len(answer.body())}))
        page.goto(site.url, wait_until="networkidle")
    assert {urlsplit(address).netloc for address in loaded} == {urlsplit(site.url).netloc}
    assert len(loaded) > 5
    assert sum(loaded.values()) < FIRST_PAINT, loaded


def test_too_slow_is_told_plainly_and_can_be_tried_again(look: Look, site: Site) -> None:
    view = look("?challenges=1&types=LOOK_UP,SMILE&timeout=1")
    view.press("Start")
    view.wait_for("failed")
    first = session_of(view)
    assert "That took a little too long" in view.words
    assert view.told("failed") == [{"reason": "timed_out"}]
    view.has_no_barrier()

    view.press("Try again")
    view.wait_for("camera")
    view.until_told("session", 2)
    second = session_of(view)
    assert second != first
    view.wait_for("failed")
    view.press("I cannot do one of these")
    view.wait_for("intro")
    assert view.page.get_by_label("Look up or down").is_visible(), "the choices are open"


def test_cancelling_forgets_the_session(look: Look, site: Site) -> None:
    view = look("?challenges=1&types=LOOK_UP&timeout=30")
    view.press("Start")
    view.until_told("challenge")
    session_id = session_of(view)
    view.press("Cancel")
    view.wait_for("intro")
    deadline = time.monotonic() + PATIENCE
    while httpx.get(f"{site.url}{SESSIONS}/{session_id}").status_code != 404:
        assert time.monotonic() < deadline
        view.page.wait_for_timeout(50)
    sent = len(view.frames)
    view.page.wait_for_timeout(400)
    assert len(view.frames) == sent, "nothing is filmed any more"


def test_a_refused_camera_is_told_and_can_be_allowed(look: Look) -> None:
    view = look(permissions=[])  # then nobody says yes
    view.press("Start")
    view.wait_for("error")
    assert "The camera is not allowed" in view.words
    view.has_no_barrier()
    assert not view.told("session"), "a session that nobody can meet is not created"

    view.page.context.grant_permissions(["camera"])
    view.press("Try again")
    view.until_told("session")


def test_without_a_camera_and_without_https_it_says_so(site: Site, playwright: Playwright) -> None:
    with launched(playwright, None, "--host-resolver-rules=MAP plain.example 127.0.0.1") as browser:
        view = View(browser.new_page(locale="en-GB", permissions=["camera"]), site.url).open()
        view.press("Start")
        view.wait_for("error")
        assert "No camera found" in view.words
        view.url = f"http://plain.example:{site.settings.port}"
        view.open().press("Start")
        view.wait_for("error")
        assert "This page is not secure" in view.words
        assert not view.button("Try again").count(), "trying again would not help"


def never_gives_up(route: Route) -> None:
    """Make the page wait for a service that takes long to come back, as it does on a machine that others keep busy."""
    answer = route.fetch()
    usual = "GIVE_UP_AFTER = 20_000"
    assert usual in answer.text()
    route.fulfill(response=answer, body=answer.text().replace(usual, "GIVE_UP_AFTER = 120_000"))


def test_a_service_that_is_away_for_five_seconds_costs_only_time(look: Look, gestures: str, site: Site) -> None:
    view = look()
    view.page.route("**/course.js", never_gives_up)
    view.open(asking(gestures, timeout=60))
    view.press("Start")
    view.until_told("challenge")
    site.stop_web()
    try:
        gone = time.monotonic()
        notice = view.page.get_by_text("No connection. Trying again")
        notice.wait_for()
        view.page.wait_for_timeout(max(0, 5 - (time.monotonic() - gone)) * 1000)
        assert view.under_way <= 1, "nobody knocks twice at once"
    finally:
        site.start_web()
    notice.wait_for(state="hidden")
    view.wait_for("done")
    assert view.told("completed") == [{"isLive": True}]


def test_a_wait_that_the_service_asks_for_is_kept(look: Look) -> None:
    view = look("?challenges=1&types=LOOK_UP&timeout=30")
    asked: list[float] = []

    def full(route: Route) -> None:
        asked.append(time.monotonic())
        if len(asked) == 1:
            route.fulfill(status=429, headers={"Retry-After": "2"}, json={"code": "too_many", "detail": "Wait."})
        else:
            route.continue_()

    view.page.route("**/sessions?*", full)
    view.press("Start")
    view.page.get_by_text("Busy just now").wait_for()
    view.until_told("challenge")
    assert 2 <= asked[1] - asked[0] < 4


def test_a_long_wait_is_counted_down_before_trying_again(look: Look) -> None:
    view = look()
    view.page.route(
        "**/sessions?*",
        lambda route: route.fulfill(status=429, headers={"Retry-After": "60"}, json={"code": "too_many"}),
    )
    view.press("Start")
    view.wait_for("error")
    assert "Too busy just now" in view.words
    again = view.page.locator("liveness-check .primary")
    view.page.get_by_role("button", name="Try again in 5").wait_for()
    assert again.get_attribute("aria-disabled") == "true"
    again.click(force=True)
    assert view.page.locator(SCREEN).get_attribute("data-screen") == "error"
    view.has_no_barrier()


def test_nothing_is_filmed_while_the_page_is_in_the_background(look: Look) -> None:
    view = look("?challenges=1&types=LOOK_UP&timeout=30")
    view.press("Start")
    view.until_told("challenge")
    hide = """(hidden) => {
        Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    view.page.evaluate(hide, True)
    view.page.get_by_text("Keep this page in front").wait_for()
    sent = len(view.frames)
    view.page.wait_for_timeout(700)
    assert len(view.frames) <= sent + 1
    view.page.evaluate(hide, False)
    view.page.get_by_text("Keep this page in front").wait_for(state="hidden")
    view.page.wait_for_timeout(500)
    assert len(view.frames) > sent + 1


def test_what_a_person_cannot_do_is_not_asked_for(look: Look) -> None:
    """By keyboard alone."""
    view = look("?challenges=1")
    created: list[str] = []
    view.page.on("request", lambda request: created.append(request.url) if "/sessions?" in request.url else None)
    for name in ("I cannot do one of these", "Turn my head", "Look up or down", "Blink", "Smile"):
        for _ in range(12):
            view.page.keyboard.press("Tab")
            focused = view.page.evaluate(
                "(e => e?.textContent || e?.closest('label')?.textContent || e?.parentElement?.textContent)"
                "(document.querySelector('liveness-check').shadowRoot.activeElement)"
            )
            if focused and name in focused:
                break
        view.page.keyboard.press("Enter" if name.startswith("I cannot") else "Space")
    view.has_no_barrier()
    view.button("Start").focus()
    view.page.keyboard.press("Enter")
    view.until_told("session")
    (query,) = [parse_qs(urlsplit(url).query) for url in created]
    assert set(query["exclude"][0].split(",")) == {"TURN_LEFT", "TURN_RIGHT", "LOOK_UP", "LOOK_DOWN", "BLINK", "SMILE"}
    assert view.told("session")[0]["session"]["challenges"][0]["type"] == "OPEN_MOUTH"


def test_a_session_of_the_host_s_own_server_is_used_with_its_token(look: Look, site: Site) -> None:
    made = httpx.post(
        f"{site.url}{SESSIONS}", params={"challenge_types": "LOOK_UP", "num_challenges": 1, "timeout_seconds": 1}
    ).json()
    view = look(f"#session={made['session_id']}&token=abc.def.ghi")
    view.press("Start")
    view.until_told("challenge")
    assert session_of(view) == made["session_id"]
    assert view.frames[0].headers["authorization"] == "Bearer abc.def.ghi"
    view.wait_for("failed", within=20)
    assert not view.button("Try again").count(), "its server makes the next one"


def test_a_token_is_enough_where_keys_are_asked_for(look: Look, gestures: str, patience: int, site: Site) -> None:
    """And what it does not open is the verdict, where that is kept for the host's own server."""
    asked = {"challenge_types": gestures, "num_challenges": 2, "timeout_seconds": patience, "token": "true"}
    made = httpx.post(f"{site.url}{SESSIONS}", params=asked).json()
    view = look()
    with site.beside(AUTH="required", CLIENT_SEES_VERDICT="off") as guarded:
        assert httpx.get(f"{guarded}{SESSIONS}/{made['session_id']}").status_code == 401
        view.url = guarded
        view.open(f"#session={made['session_id']}&token={made['token']}")
        view.press("Start")
        view.wait_for("done", within=2 * patience)
        assert view.told("completed") == [{"isLive": None}]
    assert httpx.get(f"{site.url}{SESSIONS}/{made['session_id']}").json()["is_live"] is True


def test_a_link_belongs_to_the_first_browser_that_opens_it(look: Look, site: Site) -> None:
    """It says who asks, leaves the address at once, and is of no use to whom it is handed on."""
    made = httpx.post(f"{site.url}{SESSIONS}", params={"token": "true", "relying_party": "Example <Shop>"}).json()
    link = f"#session={made['session_id']}&token={made['token']}"
    mine, other = look(), look()
    with site.beside(AUTH="required", RELYING_PARTY="Example Bank") as guarded:
        mine.url = other.url = guarded
        assert mine.open().page.locator("#asker").inner_text() == "Asked for by Example Bank"
        mine.open("?lang=en" + link)
        assert mine.page.locator("#asker").inner_text() == "Asked for by Example <Shop>"
        assert mine.page.url == f"{guarded}/?lang=en"
        mine.has_no_barrier()
        mine.page.reload()
        mine.page.locator("#asker", has_text="Example <Shop>").wait_for()
        second = View(mine.page.context.new_page(), guarded).open("?lang=en" + link)
        assert second.page.locator("#asker").inner_text() == "Asked for by Example <Shop>", "the same browser"
        other.open("?lang=en" + link)
        other.press("Start")
        other.wait_for("error")
        assert (
            httpx.get(
                f"{guarded}{SESSIONS}/{made['session_id']}", headers={"Authorization": f"Bearer {made['token']}"}
            ).json()["code"]
            == "other_browser"
        )


def test_a_session_that_is_gone_is_told_plainly(look: Look) -> None:
    view = look("#session=00000000-0000-4000-8000-000000000000")
    view.press("Start")
    view.wait_for("error")
    assert "This check is over" in view.words


@pytest.mark.parametrize(
    ("width", "height"),
    [(320, 568), (390, 844), (844, 390), (568, 320)],
    ids=["small", "phone", "lying", "small-lying"],
)
def test_it_fits_a_phone(look: Look, width: int, height: int) -> None:
    """From 320 pixels up, upright and lying; while the camera is on, all of it is seen without scrolling."""
    view = look(
        "?challenges=3&types=LOOK_UP&timeout=30",
        viewport={"width": width, "height": height},
        has_touch=True,
        is_mobile=True,
    )
    view.fits()
    view.has_no_barrier()
    view.button("Start").tap()
    view.until_told("challenge")
    view.page.wait_for_timeout(300)
    view.fits()
    view.has_no_barrier()
    view.shows_whole(
        *(f"liveness-check {part}" for part in (".instruction", ".stage", ".dots", ".pictogram", "button"))
    )


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize(("challenge", "side"), [("TURN_LEFT", "left"), ("TURN_RIGHT", "right")])
def test_the_arrow_points_the_right_way_in_the_mirror(look: Look, language: str, challenge: str, side: str) -> None:
    """A person's own left is the mirror's left, whichever way they read."""
    view = look(f"?challenges=1&types={challenge}&timeout=30&lang={language}")
    assert view.page.locator("html").get_attribute("dir") == ("rtl" if language == "ar" else "ltr")
    view.page.locator("liveness-check .primary").click()
    view.until_told("challenge")
    arrow = view.page.locator("liveness-check .pictogram").bounding_box()
    stage = view.page.locator("liveness-check .stage").bounding_box()
    assert arrow is not None
    assert stage is not None
    middle = stage["x"] + stage["width"] / 2
    assert (arrow["x"] + arrow["width"] / 2 < middle) == (side == "left")
    # Its tip is where its two wings meet: the arrow's first stroke ends there.
    path = view.page.locator("liveness-check .pictogram path").get_attribute("d")
    assert path == {"left": "M20 12H5M11 5.5L4.5 12l6.5 6.5", "right": "M4 12h15M13 5.5l6.5 6.5-6.5 6.5"}[side]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["de", "es", "ar"])
def test_every_language_and_scheme_can_be_read(look: Look, language: str, scheme: str) -> None:
    """Each is a file of its own; contrast is axe's to judge."""
    view = look(f"?lang={language}", color_scheme=scheme)
    title = {"de": "Zeigen Sie", "es": "Demuestre", "ar": "أثبت"}[language]
    assert title in view.words
    assert view.page.title().startswith(title)
    view.has_no_barrier()
    view.page.get_by_role("combobox").select_option("en")
    view.page.get_by_text("Show that you are a real person").first.wait_for()
    assert view.page.locator("html").get_attribute("dir") == "ltr"


def test_who_wants_no_motion_sees_none(look: Look) -> None:
    view = look("?challenges=1&types=TURN_LEFT&timeout=30", reduced_motion="reduce")
    view.press("Start")
    view.until_told("challenge")
    arrow = view.page.locator("liveness-check .pictogram svg")
    assert arrow.evaluate("arrow => getComputedStyle(arrow).animationName") == "none"


def test_the_instruction_is_spoken_where_that_is_wanted(look: Look) -> None:
    view = look("?challenges=1&types=SMILE&timeout=30")
    view.page.evaluate(
        "globalThis.spoken = []; speechSynthesis.speak = (said) => spoken.push([said.lang, said.text]); true"
    )
    view.page.get_by_label("Read the instructions aloud").check()
    view.press("Start")
    view.until("spoken.some(([, text]) => text === 'Smile')")
    assert {language for language, _ in view.page.evaluate("spoken")} == {"en"}
