"""The check in the WebView of an app, as far as Chromium can stand for one: docs/mobile.md says what was not tried."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser

from tests.e2e.browser import View
from tests.e2e.site import Site

SESSIONS = "/api/v1/liveness/sessions"
#: An Android phone's WebView; "wv" tells it from Chrome.
PHONE: dict[str, Any] = {
    "user_agent": "Mozilla/5.0 (Linux; Android 15; Pixel 9; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
    "Chrome/140.0.0.0 Mobile Safari/537.36",
    "viewport": {"width": 412, "height": 840},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
    "locale": "en-GB",
}
#: Stand-ins for the objects that WebViews put into a page before its scripts, each with what it is told in `heard`.
CHANNELS = {
    "Android, webview_flutter": "globalThis.LivenessApp = { postMessage: (text) => heard.push(text) };",
    "WKWebView": "globalThis.webkit = { messageHandlers: { LivenessApp: { postMessage: (text) => heard.push(text) } } };",
    "webview_flutter on iOS": """
        const handler = { postMessage: (text) => heard.push(text) };
        globalThis.webkit = { messageHandlers: { LivenessApp: handler } };
        globalThis.LivenessApp = handler;""",
    "React Native": "globalThis.ReactNativeWebView = { postMessage: (text) => heard.push(text) };",
    "flutter_inappwebview": """
        globalThis.flutter_inappwebview = {
            callHandler: async (name, text) => heard.push(name === "LivenessApp" ? text : name),
        };""",
}
#: Channels of an app that has gone.
BROKEN = {
    "throws": "globalThis.LivenessApp = { postMessage: () => { throw new Error('gone'); } };",
    "rejects": "globalThis.flutter_inappwebview = { callHandler: async () => { throw new Error('gone'); } };",
}

Open = Callable[..., View]


@pytest.fixture
def webview(site: Site, browser: Browser) -> Iterator[Open]:
    """Opens the page in a new WebView: `webview(channel, query, **how)`."""
    contexts = []

    def new(channel: str, query: str = "", **how: Any) -> View:
        context = browser.new_context(**({"permissions": ["camera"]} | PHONE | how))
        contexts.append(context)
        context.add_init_script(f"globalThis.heard = [];{channel}")
        return View(context.new_page(), site.url).open(query)

    yield new
    for context in contexts:
        context.close()


def heard(view: View) -> list[dict[str, Any]]:
    """What the app was told."""
    return [json.loads(text) for text in view.page.evaluate("heard")]


def happen(view: View, event: str, detail: str) -> None:
    """Let the element tell its page of an event."""
    element = "document.querySelector('liveness-check')"
    view.page.evaluate(f"{element}.dispatchEvent(new CustomEvent('liveness-{event}', {{ detail: {detail} }}))")


def test_an_app_opens_a_link_and_is_told_of_its_session(webview: Open, site: Site) -> None:
    asked = {"challenge_types": "LOOK_UP", "num_challenges": 1, "timeout_seconds": 60, "token": "true"}
    made = httpx.post(f"{site.url}{SESSIONS}", params=asked).raise_for_status().json()
    session, token = made["session_id"], made["token"]
    view = webview(CHANNELS["Android, webview_flutter"], f"#session={session}&token={token}")
    view.button("Start").tap()
    view.until_told("challenge")
    view.button("Cancel").tap()
    view.until("heard.some((text) => text.includes('cancelled'))")
    told = [message for message in heard(view) if message["event"] not in ("waiting", "resumed")]
    assert told == [
        {"event": "session", "session": session, "reason": None},
        {"event": "cancelled", "session": session, "reason": None},
    ]
    assert token not in view.page.evaluate("heard.join()")


def test_an_app_is_not_told_the_verdict(webview: Open) -> None:
    view = webview(CHANNELS["Android, webview_flutter"], "#session=a1b2&token=none")
    happen(view, "completed", "{ isLive: true }")
    assert heard(view) == [{"event": "completed", "session": "a1b2", "reason": None}]


@pytest.mark.parametrize("channel", CHANNELS.values(), ids=CHANNELS)
def test_every_channel_is_told_each_event_once(webview: Open, channel: str) -> None:
    view = webview(channel, "#session=a1b2&token=none")
    happen(view, "failed", "{ reason: 'timed_out' }")
    happen(view, "error", "{ error: { code: 'camera_denied' } }")
    happen(view, "session", "{ session: { session_id: 'c3d4', token: 'secret' } }")
    happen(view, "cancelled", "null")
    assert heard(view) == [
        {"event": "failed", "session": "a1b2", "reason": "timed_out"},
        {"event": "error", "session": "a1b2", "reason": "camera_denied"},
        {"event": "session", "session": "c3d4", "reason": None},
        {"event": "cancelled", "session": "c3d4", "reason": None},
    ]


@pytest.mark.parametrize("channel", BROKEN.values(), ids=BROKEN)
def test_a_channel_that_fails_does_not_break_the_check(webview: Open, channel: str) -> None:
    view = webview(channel)
    happen(view, "cancelled", "null")
    view.page.evaluate("new Promise((settled) => setTimeout(settled))")
    assert view.complaints == []


def test_an_app_without_the_camera_s_permission_is_told_and_the_person_can_go_on(webview: Open) -> None:
    view = webview(CHANNELS["WKWebView"], permissions=[])
    view.button("Start").tap()
    view.wait_for("error")
    assert [(message["event"], message["reason"]) for message in heard(view)] == [("error", "camera_denied")]
    view.fits()
    view.page.context.grant_permissions(["camera"])
    view.button("Try again").tap()
    view.until_told("session")
    assert heard(view)[-1]["event"] == "session"
