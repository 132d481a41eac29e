"""Firefox by WebDriver BiDi, which it speaks itself.

Playwright drives only a Firefox of its own, and Debian has no geckodriver.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from websockets.sync.client import ClientConnection, connect

from tests.waiting import PATIENCE, until

#: Preferences of every profile: a camera without asking, and nothing fetched that a test does not ask for.
PREFERENCES: dict[str, object] = {
    "media.navigator.permission.disabled": True,
    "media.navigator.streams.fake": True,
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage": "about:blank",
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "intl.accept_languages": "en-GB",
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "nimbus.rollouts.enabled": False,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "toolkit.telemetry.server": "",
}
_ELEMENT = "document.querySelector('liveness-check')"


def find_firefox() -> str:
    """The path of the machine's Firefox; without one the test is skipped, or fails in CI."""
    for name in (os.environ.get("FIREFOX"), "firefox-esr", "firefox"):
        if name and (found := shutil.which(name)):
            return found
    reason = "no Firefox (Debian: apt install firefox-esr; or name one by FIREFOX)"
    if os.environ.get("CI"):
        pytest.fail(f"{reason}; in CI it must be", pytrace=False)
    pytest.skip(reason)


@contextmanager
def firefox(directory: Path, **preferences: object) -> Iterator[Firefox]:
    """A Firefox with a new profile in `directory`; preferences: by their names, `_` for `.`."""
    directory.mkdir()
    wanted = PREFERENCES | {name.replace("_", "."): value for name, value in preferences.items()}
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in wanted.items()]
    (directory / "user.js").write_text("".join(lines))
    command = [find_firefox(), "--headless", "--no-remote", "--profile", str(directory), "--remote-debugging-port", "0"]
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | {"HOME": str(directory)})
    try:
        with connect(f"{_address(directory / 'log', process)}/session", max_size=None, open_timeout=PATIENCE) as socket:
            yield Firefox(socket)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _address(log: Path, process: subprocess.Popen[bytes]) -> str:
    """Where Firefox listens, as it writes itself."""
    found: list[str] = []

    def has_told() -> bool:
        assert process.poll() is None, log.read_text()
        found[:] = re.findall(r"WebDriver BiDi listening on (ws://\S+)", log.read_text(errors="replace"))
        return bool(found)

    until(has_told, pause=0.05)
    return found[0]


class Firefox:
    """The one tab of a running Firefox, and in it the page with the element."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._number = 0
        self._call("session.new", capabilities={})
        self._tab = self._call("browsingContext.getTree")["contexts"][0]["context"]

    def open(self, url: str) -> None:
        """Go to a page; returns when its element can be used. What the element tells its host is kept in `told`."""
        self._call("browsingContext.navigate", context=self._tab, url=url, wait="complete")
        self.until(f"!!{_ELEMENT}?.shadowRoot.querySelector('section')")
        self.run(
            f"""globalThis.told = [];
            for (const kind of ["session", "hint", "passed", "completed", "failed", "error", "cancelled"])
                {_ELEMENT}.addEventListener(`liveness-${{kind}}`, ({{detail}}) =>
                    told.push([kind, detail?.code ?? detail?.error?.code ?? detail?.isLive ?? null]));"""
        )

    def press(self, words: str) -> None:
        """Click a button by what it says, once it is there."""
        found = (
            f"[...{_ELEMENT}.shadowRoot.querySelectorAll('button')].find((b) => b.textContent === {json.dumps(words)})"
        )
        self.until(f"!!{found}")
        self.run(f"{found}.click();")

    @property
    def screen(self) -> str:
        """The screen that the element shows."""
        return str(self.evaluate(f"{_ELEMENT}.shadowRoot.querySelector('section').dataset.screen"))

    @property
    def words(self) -> str:
        """What can be read in the element just now."""
        return str(self.evaluate(f"{_ELEMENT}.shadowRoot.querySelector('section').innerText"))

    def told(self, kind: str) -> list[Any]:
        """What the element has told its host of a kind: codes, or the verdict."""
        return [detail for what, detail in self.evaluate("told") if what == kind]

    def until(self, condition: str, seconds: float = PATIENCE) -> None:
        """Wait for a JavaScript expression to be true."""
        until(lambda: self.evaluate(condition), seconds, pause=0.1)

    def run(self, statements: str, *arguments: str) -> None:
        """Run statements in the page, with texts as `arguments`."""
        self._result(
            self._call(
                "script.callFunction",
                functionDeclaration=f"async function() {{ {statements} }}",
                arguments=[{"type": "string", "value": argument} for argument in arguments],
                target={"context": self._tab},
                awaitPromise=True,
                userActivation=True,
            )
        )

    def evaluate(self, expression: str) -> Any:
        """The value of an expression, or of its promise, that JSON can hold."""
        whole = f"(async () => JSON.stringify((await ({expression})) ?? null))()"
        answer = self._call("script.evaluate", expression=whole, target={"context": self._tab}, awaitPromise=True)
        return json.loads(self._result(answer)["value"])

    def has_no_barrier(self) -> None:
        """Nothing that axe knows to keep people out."""
        self.run(Path(AXE_FILE_PATH).read_text())
        found = self.evaluate("axe.run().then(({violations}) => violations.map(({id, nodes}) => [id, nodes[0].html]))")
        assert found == []

    def picture(self) -> bytes:
        """A PNG of the page."""
        shot = self._call("browsingContext.captureScreenshot", context=self._tab)
        return base64.b64decode(shot["data"])

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            answer: dict[str, Any] = json.loads(self._socket.recv(timeout=2 * PATIENCE))
            if answer.get("id") == self._number:
                assert answer["type"] == "success", answer
                return dict(answer["result"])

    @staticmethod
    def _result(answer: dict[str, Any]) -> dict[str, Any]:
        assert answer["type"] == "success", answer.get("exceptionDetails", answer)
        return dict(answer["result"])
