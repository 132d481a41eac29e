"""The element's life belongs to its page: all that may happen to it, in every state that it may be in, in a real browser.

The camera, the service and the file of a language are scripted in the page (`stage.js`), so that each can be kept waiting.
No server runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Playwright, Route

from tests.e2e.browser import launched
from tests.waiting import PATIENCE

HERE = Path(__file__).parent
CLIENT = Path("api/clients/browser")
#: Nothing listens there: the test answers all requests. Chromium trusts the name, as it does localhost.
ORIGIN = "http://stage.localhost"

PAGE = """<!doctype html><html lang="en"><title>Host</title>
<main><h1>Host</h1><div id="box"></div><div id="other"></div></main>"""

#: The client's waits that the stage can hold or skip: the constants that hold their milliseconds.
WAITS = {
    "ready": ("check.js", "GET_READY"),
    "again": ("check.js", "BEGIN_AGAIN"),
    "praise": ("element.js", "PRAISE"),
    "read": ("element.js", "READ_AFTER"),
}

STATES = re.findall(
    r"^  (?:async )?(\w+)(?:\(\) \{|: (?:waiting|ended)\()", (HERE / "life_table.js").read_text(), re.MULTILINE
)
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
            text, changed = re.subn(
                r'(import\("\./locales/[^"]+"\))', r"globalThis.languageGate().then(() => \1)", text
            )
            assert changed == 3
        if name.endswith("/course.js"):  # at a faster pace
            assert "FASTEST = 100" in text
            text = text.replace("FASTEST = 100", "FASTEST = 10")
        if name.endswith("/camera.js"):  # the camera's own clock goes on as usual when a test lets time go by at once
            text = text.replace("performance.now()", "globalThis.realNow()")
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
def host(table: Page) -> Iterator[Callable[..., Page]]:
    """An element with these attributes in the page, on its first screen: `host(attributes)`; `made` is the element."""

    def new(attributes: dict[str, str] | None = None) -> Page:
        table.evaluate(
            """async (attributes) => {
                await table.clear();
                globalThis.made = stage.element(attributes);
                document.querySelector('#box').append(made);
                await stage.until(() => stage.screenOf(made) === 'intro');
            }""",
            attributes or {},
        )
        return table

    yield new
    table.evaluate("table.clear()")


def test_the_table_is_whole(table: Page) -> None:
    assert table.evaluate("[table.states, table.happenings]") == [STATES, HAPPENINGS]


@pytest.mark.parametrize("happening", HAPPENINGS)
@pytest.mark.parametrize("state", STATES)
def test_what_may_happen_in_each_state(table: Page, state: str, happening: str) -> None:
    """One check goes on, with one camera and one session; or none does, everything is given back, and there is a way on."""
    table.evaluate("([state, happening]) => table.cell(state, happening)", [state, happening])


def shown(page: Page, selector: str) -> str:
    """The text of a part of the element."""
    return str(page.evaluate("(selector) => stage.find(made, selector)?.textContent ?? ''", selector))


def until(page: Page, condition: str) -> None:
    """Wait for a JavaScript expression to be true."""
    page.evaluate(f"stage.until(() => {condition}, {condition!r})")


def has_no_barrier(page: Page) -> None:
    """Nothing that axe knows to keep people out."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


Host = Callable[..., Page]

# --- hints -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["no_face", "too_far", "several_faces", "hold_still"])
@pytest.mark.parametrize("passes", [0, 1])
def test_the_first_hint_of_a_challenge_stays_while_it_lasts(host: Host, code: str, passes: int) -> None:
    """For eyes and for a screen reader; from the first answer on, and after each pass."""
    page = host()
    page.evaluate(
        """([code, passes]) => {
            const hint = { code, text: "in English" };
            const pass = stage.answers.asked("SMILE", { passed: true, challenges_remaining: 1 });
            const answers = [
                ...Array.from({ length: passes }, () => pass),
                stage.answers.asked("BLINK", { hint, challenges_remaining: 2 - passes }),
            ];
            stage.script.frame = () => answers.length > 1 ? answers.shift() : answers[0];
            stage.hold("praise"); // the hint comes while "Well done" is shown
            made.start();
        }""",
        [code, passes],
    )
    until(page, "stage.told('hint').length === 1")
    if passes:
        assert shown(page, ".instruction") == "Well done"
        assert shown(page, ".hint") == ""
    page.evaluate("stage.releaseAll()")
    until(page, "stage.find(made, '.instruction').textContent.startsWith('Close both eyes')")
    until(page, "stage.find(made, '.quiet').textContent !== ''")
    sent = page.evaluate("stage.seen.frames.length")
    until(page, f"stage.seen.frames.length > {sent + 3}")
    words = shown(page, ".hint")
    assert words == page.evaluate("import('/client/locales/en.js').then((en) => en.default[`hint." + code + "`])")
    assert shown(page, ".quiet") == words, "what a screen reader reads"
    page.evaluate(
        "(left) => { stage.script.frame = () => stage.answers.asked('BLINK', { challenges_remaining: left }); }",
        2 - passes,
    )
    until(page, "stage.find(made, '.hint').textContent === ''")
    assert shown(page, ".quiet") == "", "what no longer holds is not read"


def test_a_hint_outlasts_frames_that_are_passed_over(host: Host) -> None:
    page = host()
    page.evaluate(
        """() => {
            const hints = ["too_dark", "superseded"];
            stage.script.frame = (n) => stage.answers.asked("BLINK", { hint: { code: hints[n % 2], text: "" } });
            globalThis.read = new Set();
            made.start();
            new MutationObserver(() => read.add(stage.find(made, ".hint").textContent))
                .observe(made.shadowRoot, { subtree: true, childList: true, characterData: true });
        }"""
    )
    until(page, "stage.find(made, '.hint').textContent.startsWith('Too dark')")
    page.evaluate("read.clear()")
    sent = page.evaluate("stage.seen.frames.length")
    until(page, f"stage.seen.frames.length > {sent + 6}")
    assert not any("Keep going" in words for words in page.evaluate("[...read]"))


def test_hints_that_come_and_go_are_read_out_too(host: Host) -> None:
    """Each lasts for less time than a screen reader waits for."""
    page = host()
    page.evaluate(
        """() => {
            stage.hold("read");
            const hints = ["too_dark", "no_face"];
            stage.script.frame = (n) => stage.answers.asked("BLINK", { hint: { code: hints[n % 2], text: "" } });
            made.start();
        }"""
    )
    until(page, "stage.told('hint').length > 4")
    assert shown(page, ".quiet") == ""
    page.evaluate("stage.releaseAll()")
    until(page, "stage.find(made, '.quiet').textContent !== ''")


# --- pauses ----------------------------------------------------------------------------------------------------------


def running(page: Page) -> None:
    """Start, and wait for the first challenge's clock to run."""
    page.evaluate("made.start()")
    until(page, "stage.told('challenge').length === 1")


def away(page: Page, how: str, seconds: float, then: str = "stage.answers.asked('SMILE')") -> None:
    """Let time go by in which the page is in the background, or the service away; `then` is its next answer."""
    page.evaluate(
        """([how, seconds]) => { stage.script.frame = () => "offline"; if (how === "background") stage.hide(true); }""",
        [how, seconds],
    )
    until(page, "stage.told('waiting').length")
    page.evaluate(
        f"""([how, seconds]) => {{
            stage.pass(seconds * 1000);
            const first = stage.seen.frames[0];
            stage.script.frame = () => stage.seen.frames.at(-1) === first ? {then} : stage.answers.asked("SMILE");
            if (how === "background") stage.hide(false);
        }}""",
        [how, seconds],
    )


#: The service's answer to a frame that comes after the challenge's time.
TIMED_OUT = "stage.answers.ended('failed', { hint: { code: 'timed_out', text: '' } })"
#: Seconds, longer than a challenge of the stage lasts, and shorter than the client tries to reach a service that is away.
LONG = 12


@pytest.mark.parametrize(("how", "why"), [("background", "in the background"), ("network", "no connection")])
@pytest.mark.parametrize("creator", ["the element", "the host"])
def test_a_pause_longer_than_a_challenge_begins_a_new_session(host: Host, how: str, why: str, creator: str) -> None:
    page = host()
    if creator == "the host":
        page.evaluate("{ made.createSession = stage.createSession; 0 }")
    page.evaluate("stage.hold('again')")
    running(page)
    away(page, how, LONG, TIMED_OUT)
    until(page, "stage.reached('again')")
    assert shown(page, ".instruction") == "Let us begin again"
    assert why in shown(page, ".hint")
    has_no_barrier(page)
    page.evaluate("stage.releaseAll()")
    until(page, "stage.seen.frames.filter((id) => id === 'made-1').length > 1")
    until(page, "stage.told('challenge').length === 2")
    assert page.evaluate("stage.told('interrupted')") == [how]
    assert page.evaluate("[stage.told('failed'), stage.told('error'), stage.live()]") == [[], [], 1]
    # A session that the service has not ended is cancelled; of one that it has ended nothing is deleted.
    assert page.evaluate("stage.seen.cancelled") == (["made-0"] if how == "background" else [])


@pytest.mark.parametrize("how", ["background", "network"])
def test_a_pause_between_two_challenges_counts_too(host: Host, how: str) -> None:
    """The next one's clock began unseen."""
    page = host()
    page.evaluate("stage.hold('again')")
    running(page)
    page.evaluate(
        """() => {
            const gap = stage.answers.asked(null, { challenges_remaining: 1, hint: { code: "wait", text: "" } });
            const answers = [stage.answers.asked("TURN_LEFT", { passed: true, challenges_remaining: 1 }), gap];
            stage.script.frame = () => answers.length > 1 ? answers.shift() : answers[0];
        }"""
    )
    until(page, "stage.told('hint').includes('wait')")
    away(page, how, LONG, TIMED_OUT)
    until(page, "stage.reached('again')")
    assert page.evaluate("[stage.told('interrupted'), stage.told('failed')]") == [[how], []]


@pytest.mark.parametrize("how", ["background", "network"])
def test_a_pause_shorter_than_a_challenge_costs_only_time(host: Host, how: str) -> None:
    page = host()
    running(page)
    away(page, how, 0.1)
    sent = page.evaluate("stage.seen.frames.length")
    until(page, f"stage.seen.frames.length > {sent + 3}")
    until(page, "stage.find(made, '.waiting').hidden")
    assert page.evaluate("stage.seen.made") == ["made-0"]
    assert page.evaluate("stage.told('interrupted')") == []


def test_a_challenge_that_was_shown_long_enough_has_timed_out(host: Host) -> None:
    """A short pause in it is no excuse."""
    page = host()
    running(page)
    away(page, "background", 1)
    sent = page.evaluate("stage.seen.frames.length")
    until(page, f"stage.seen.frames.length > {sent + 1}")
    page.evaluate(f"() => {{ stage.pass({LONG} * 1000); stage.script.frame = () => {TIMED_OUT}; }}")
    until(page, "stage.screenOf(made) === 'failed'")
    assert page.evaluate("stage.told('failed')") == ["timed_out"]
    assert shown(page, "h2") == "That took a little too long"


ENDS = {
    "timed_out": TIMED_OUT,
    "failed": "stage.answers.ended('failed', { hint: { code: 'ended', text: '' } })",
    "expired": "stage.answers.ended('expired')",
    "gone": "stage.problem(404, 'session_not_found')",
    "token": "stage.problem(401, 'token_expired')",
}


@pytest.mark.parametrize("then", ENDS)
@pytest.mark.parametrize("how", ["background", "network"])
def test_a_given_session_that_was_interrupted_says_what_to_do(host: Host, how: str, then: str) -> None:
    """However the service tells that it is over."""
    page = host({"session-id": "given", "token": "a.b.c"})
    running(page)
    away(page, how, LONG, ENDS[then])
    until(page, "stage.screenOf(made) === 'error'")
    text = shown(page, "section")
    assert "The check was interrupted" in text
    assert ("in the background" if how == "background" else "no connection") in text
    assert "begin from there" in text
    assert "too long" not in shown(page, "h2")
    assert page.evaluate("[stage.live(), stage.told('failed'), stage.seen.cancelled]") == [0, [], []]
    has_no_barrier(page)


# --- a session that was given ----------------------------------------------------------------------------------------

MENDED: dict[str, tuple[str, str]] = {
    "denied": ("stage.script.camera = 'NotAllowedError'", "stage.script.camera = null"),
    "busy": ("stage.script.camera = 'NotReadableError'", "stage.script.camera = null"),
    "missing": ("stage.script.camera = 'NotFoundError'", "stage.script.camera = null"),
    "offline": ("stage.script.look = () => { stage.pass(3000); return 'offline'; }", "stage.script.look = () => ({})"),
    "service": ("stage.script.look = () => stage.problem(500, 'internal_error')", "stage.script.look = () => ({})"),
    "unplugged": ("stage.until(() => stage.told('challenge').length).then(stage.unplug)", "0"),
    "offline_later": (
        "stage.script.frame = () => { stage.pass(3000); return 'offline'; }",
        "stage.script.frame = () => stage.answers.asked('SMILE')",
    ),
}


@pytest.mark.parametrize("state", ["pending", "in_progress"])
@pytest.mark.parametrize("trouble", MENDED)
def test_what_the_person_can_mend_can_be_tried_again(host: Host, trouble: str, state: str) -> None:
    page = host({"session-id": "given"})
    wrong, mended = MENDED[trouble]
    page.evaluate(f"{{ {wrong}; made.start(); 0 }}")
    until(page, "stage.screenOf(made) === 'error'")
    assert page.evaluate("stage.live()") == 0
    page.evaluate(f"{{ {mended}; 0 }}")
    if mended.startswith("stage.script.look") or state == "in_progress":
        page.evaluate("(state) => { stage.script.look = () => ({ state }) }", state)
    sent = page.evaluate("stage.seen.frames.length")
    page.get_by_role("button", name="Try again").click()
    until(page, f"stage.seen.frames.length > {sent + 2}")
    assert page.evaluate("[stage.screenOf(made), stage.live()]") == ["camera", 1]
    assert page.evaluate("stage.seen.cancelled") == []


def test_cancelled_or_with_another_camera_it_goes_on_with_the_answers_so_far(host: Host) -> None:
    """Its frames carry the nonces of the answers to the former check, and it knows how many challenges there are."""
    page = host({"session-id": "with-nonces"})
    page.evaluate(
        """() => {
            let n = 0;
            stage.script.frame = () => stage.answers.asked("SMILE", { nonce: `nonce${n++}`, challenges_remaining: 3 });
        }"""
    )
    frames = "stage.seen.addresses.filter((address) => address.includes('/frame'))"
    running(page)
    until(page, frames + ".some((address) => address.includes('nonces='))")
    page.evaluate("(stage.script.look = () => ({ state: 'in_progress' }), made.cancel())")
    until(page, "stage.screenOf(made) === 'intro'")
    page.evaluate("stage.seen.addresses.length = 0")
    page.evaluate("made.start()")
    until(page, frames + ".length > 2")
    page.get_by_role("combobox").wait_for()
    page.evaluate("stage.seen.addresses.length = 0")
    page.get_by_role("combobox").select_option("two")
    # Frames of the check before may still be counted: an answer to the third check has come once it tells its challenge.
    until(page, "stage.told('challenge').length > 2")
    until(page, frames + ".length > 2")
    until(page, "stage.live() === 1")
    assert page.evaluate(frames + ".every((address) => address.includes('nonces='))")
    assert page.evaluate("stage.told('cancelled').length") == 1, "another camera is no cancelling"
    assert page.evaluate("stage.told('challenge').length") == 3
    assert page.locator("liveness-check .dots span").count() == 3


def test_a_session_whose_answers_went_elsewhere_ends_at_once(host: Host) -> None:
    """After a reload its frames are refused: it says what to do, and not after twenty seconds."""
    page = host({"session-id": "another"})
    page.evaluate(
        """() => {
            stage.script.look = () => ({ state: "in_progress" });
            stage.script.frame = () => stage.problem(409, "out_of_sequence");
            made.start();
        }"""
    )
    until(page, "stage.screenOf(made) === 'error'")
    assert "interrupted" in shown(page, "h2")
    assert "begin from there" in shown(page, "section")


OVER: dict[str, tuple[str, str]] = {
    "token_expired": ("stage.problem(401, 'token_expired')", "This link has expired"),
    "token_unknown": ("stage.problem(401, 'token_unknown')", "This check is not open to you"),
    "other_browser": ("stage.problem(403, 'other_browser')", "This link belongs to another browser"),
    "gone": ("stage.problem(404, 'session_not_found')", "This check is over"),
    "failed": ("({ state: 'failed' })", "This check is over"),
    "expired": ("({ state: 'expired' })", "This check took too long"),
}


@pytest.mark.parametrize("what", OVER)
def test_what_is_over_is_told_before_the_camera_opens(host: Host, what: str) -> None:
    answer, title = OVER[what]
    page = host({"session-id": f"over-{what}", "token": "a.b.c"})
    page.evaluate(f"() => {{ stage.script.look = () => {answer}; made.start(); }}")
    until(page, "stage.screenOf(made) === 'error'")
    assert shown(page, "h2") == title
    text = shown(page, "section")
    assert "from there" in text, "what to do"
    assert page.evaluate("stage.seen.streams.length + stage.reached('camera')") == 0
    assert not page.get_by_role("button", name="Try again").count(), "that would not help"
    has_no_barrier(page)


def test_a_session_that_was_completed_before_is_done(host: Host) -> None:
    page = host({"session-id": "given"})
    page.evaluate("() => { stage.script.look = () => ({ state: 'completed', is_live: null }); made.start(); }")
    until(page, "stage.screenOf(made) === 'done'")
    assert page.evaluate("stage.reached('camera')") is False
    assert page.evaluate("stage.told('completed').length") == 1


def test_another_session_that_is_given_can_be_begun(host: Host) -> None:
    page = host({"session-id": "given"})
    page.evaluate("() => { stage.script.frame = () => stage.answers.ended('failed'); made.start(); }")
    until(page, "stage.screenOf(made) === 'failed'")
    assert "begin from there" in shown(page, "section")
    assert not page.get_by_role("button").count()
    page.evaluate("stage.script.frame = () => stage.answers.asked('SMILE')")
    page.evaluate("made.sessionId = 'second'")
    page.get_by_role("button", name="Start").click()
    until(page, "stage.seen.frames.at(-1) === 'second'")


def test_another_token_for_a_given_session_can_be_tried(host: Host) -> None:
    page = host({"session-id": "renewed", "token": "old"})
    page.evaluate("() => { stage.script.look = () => stage.problem(401, 'token_expired'); made.start(); }")
    until(page, "stage.screenOf(made) === 'error'")
    page.evaluate("() => { stage.script.look = () => ({}); made.token = 'new'; }")
    page.get_by_role("button", name="Start").click()
    until(page, "stage.told('challenge').length === 1")


# --- its properties --------------------------------------------------------------------------------------------------


def test_what_is_set_before_it_is_defined_counts(chromium: Browser) -> None:
    """By property or attribute, in a page or not."""
    page = opened(chromium)
    try:
        page.evaluate(
            """async () => {
                globalThis.made = stage.element({ preset: "strict" }, {
                    createSession: (wishes) => { globalThis.wishes = wishes; return stage.createSession(); },
                    messages: { "intro.title": "Our title" },
                    browserSecret: "secret".repeat(5),
                    types: ["SMILE", "BLINK"],
                    exclude: ["SMILE"],
                    challenges: 2,
                    voice: true,
                });
                document.querySelector("#box").append(made);
                await import("/client/element.js");
                await stage.until(() => stage.screenOf(made) === "intro");
            }"""
        )
        assert shown(page, "h2") == "Our title"
        assert page.evaluate("['preset', 'types', 'challenges', 'voice'].map((name) => made.getAttribute(name))") == [
            "strict",
            "SMILE,BLINK",
            "2",
            "",
        ]
        running(page)
        assert page.evaluate("wishes") == {"exclude": ["SMILE"]}
        assert page.evaluate("made.browserSecret") == "secret" * 5
        assert page.evaluate("stage.seen.made") == ["made-0"]
    finally:
        page.context.close()


def test_started_before_it_is_put_into_the_page_it_begins_there(host: Host) -> None:
    page = host()
    page.evaluate(
        """() => {
            made.remove();
            globalThis.made = stage.element();
            made.start();
            document.querySelector("#other").append(made);
        }"""
    )
    until(page, "stage.told('challenge').length === 1")
    page.evaluate("{ globalThis.lone = stage.element(); lone.start(); }")
    page.evaluate("stage.task()")
    assert page.evaluate("stage.seen.streams.length") == 1, "an element in no page opens no camera"


def test_a_host_s_own_error_is_told_and_can_be_tried_again(host: Host) -> None:
    page = host()
    page.evaluate("{ made.createSession = async () => { throw new Error('not logged in'); }; made.start(); }")
    until(page, "stage.screenOf(made) === 'error'")
    assert page.evaluate("[stage.told('error'), stage.live()]") == [["refused"], 0]
    page.evaluate("{ made.createSession = stage.createSession; 0 }")
    page.get_by_role("button", name="Try again").click()
    until(page, "stage.told('challenge').length === 1")


# --- what support can ask for ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "de", "es", "ar"])
@pytest.mark.parametrize("screen", ["failed", "error"])
def test_a_failure_names_the_session_and_the_time(host: Host, language: str, screen: str) -> None:
    """On a narrow phone, too."""
    session = "0f8fad5b-d9cb-469f-a165-70867728950e"
    page = host({"lang": language, "session-id": session})
    page.set_viewport_size({"width": 320, "height": 640})
    answer = {"failed": "stage.answers.ended('failed')", "error": "stage.problem(422 - 22, 'bad_request')"}[screen]
    page.evaluate(f"() => {{ stage.script.frame = () => {answer}; made.start(); }}")
    until(page, f"stage.screenOf(made) === '{screen}'")
    line = page.locator("liveness-check [part=support]")
    words = page.evaluate(f"import('/client/locales/{language}.js').then((file) => file.default.support)")
    assert line.inner_text().startswith(words)
    assert line.locator("code").inner_text() == session, "as it is copied, too"
    printed = line.locator("time").inner_text()
    told = datetime.strptime(printed, "%Y-%m-%d %H:%M:%S UTC").replace(tzinfo=UTC)
    assert abs((datetime.now(UTC) - told).total_seconds()) < 2 * PATIENCE
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    has_no_barrier(page)


def test_every_wait_of_the_client_is_asked_whether_it_is_still_wanted() -> None:
    """An `await` in the element or the check is one of a life, or of a method that has only such."""
    asked = re.compile(r"(this\.#)?(life|part)\.(until|sleep)\(|this\.#(run|open|openCamera|openSession)\(")
    for name in ("element.js", "check.js", "course.js"):
        text = (CLIENT / name).read_text()
        waits = re.findall(r"await ([^\n]*)", text)
        assert waits
        for wait in waits:
            assert asked.match(wait), (name, wait)
