"""`python -m tests.e2e.pictures`: takes the pictures of docs/images/gestures again, one for each challenge.

Chromium shows the element of the browser client, in a page whose service and camera are stand-ins: the service asks for the
challenge, and the camera shows a cartoon that does it. No person, drawn from a photograph or not, is in these pictures.
"""

from __future__ import annotations

import io
import json
import mimetypes
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Route, sync_playwright

from shared.liveness.challenge import INSTRUCTIONS, ChallengeType
from tests.e2e.browser import launched
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "images" / "gestures"
CLIENT = ROOT / "api" / "clients" / "browser"
#: A host that only the stand-ins answer for; the name makes it a secure context, which a camera needs.
HOST = "https://pictures.localhost"
#: Width and height of a picture in pixels.
SIZE = (180, 240)

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>picture</title>
<style>body { margin: 0; inline-size: 360px }</style>
<script type="module" src="/element.js"></script>
<liveness-check api="/api" challenges="1" timeout-seconds="60" types="TYPE" lang="en"></liveness-check>"""

#: How far the cartoon's head turns and nods, how open its eyes are, its smile and its open mouth. A camera's picture is not
#: mirrored: a person's own left is on its right.
ACTS = {
    ChallengeType.TURN_LEFT: {"turn": 1},
    ChallengeType.TURN_RIGHT: {"turn": -1},
    ChallengeType.LOOK_UP: {"nod": -1},
    ChallengeType.LOOK_DOWN: {"nod": 1},
    ChallengeType.BLINK: {"shut": 1},
    ChallengeType.SMILE: {"smile": 1},
    ChallengeType.OPEN_MOUTH: {"open": 1},
}

#: The stand-in for the camera.
CAMERA = (Path(__file__).parent / "cartoon.js").read_text()


def main() -> None:
    """Write all pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright, launched(playwright, None) as browser:
        for kind in ChallengeType:
            path = FOLDER / f"{kind.lower()}.webp"
            taken(browser, kind).save(path, quality=70, method=6)
            print(f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes")  # noqa: T201 - a command-line tool


def taken(browser: Browser, kind: ChallengeType) -> Image.Image:
    """The element's picture while it asks for this challenge."""
    with browser.new_context(viewport={"width": 400, "height": 760}, reduced_motion="reduce") as context:
        page = context.new_page()
        page.set_default_timeout(1000 * PATIENCE)
        page.add_init_script(f"globalThis.ACT = {json.dumps(ACTS[kind])};\n{CAMERA}")
        page.route("**/*", lambda route: _answer(route, kind))
        page.goto(f"{HOST}/")
        page.get_by_role("button", name="Start").click()
        page.locator("liveness-check .pictogram:not([hidden]) svg").wait_for()
        # The clock's ring would be at another place in each picture.
        page.locator("liveness-check .ring").evaluate("(ring) => (ring.style.visibility = 'hidden')")
        picture = Image.open(io.BytesIO(page.locator("liveness-check [part=stage]").screenshot()))
        return picture.convert("RGB").resize(SIZE, Image.Resampling.LANCZOS)


def _answer(route: Route, kind: ChallengeType) -> None:
    """What the page asks for: itself, the client's files, or the service."""
    path = route.request.url.removeprefix(HOST).partition("?")[0]
    challenge = {"type": kind, "instruction": INSTRUCTIONS[kind], "timeout_seconds": 60}
    if path == "/":
        route.fulfill(content_type="text/html", body=PAGE.replace("TYPE", kind))
    elif path.endswith("/frame"):
        answer = {
            "session_id": "a",
            "challenge_type": kind,
            "passed": False,
            "confidence": 0.1,
            "challenges_remaining": 1,
            "session_complete": False,
            "is_live": None,
            "state": "in_progress",
            "hint": None,
            "challenge": challenge,
            "face": {"x": 0.5, "y": 0.5, "width": 0.3, "height": 0.5},
        }
        route.fulfill(json=answer)
    elif path.startswith("/api/"):
        route.fulfill(json={"session_id": "a", "state": "pending", "challenges": [challenge]})
    else:
        file = CLIENT / path.lstrip("/")
        if file.is_file():
            route.fulfill(content_type=mimetypes.guess_type(file.name)[0] or "text/javascript", path=file)
        else:
            route.fulfill(status=404)


if __name__ == "__main__":
    main()
