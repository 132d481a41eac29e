"""A service, a browser and a film, one of each for all tests here: together they take some ten seconds to be there.

They end with the last of these tests, not with the run (scope "package", for which this folder has an `__init__.py`): while
Playwright runs, its event loop does, and no other test in the process could start one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from ops.lab.performer import Performer
from shared.liveness.challenge import ChallengeType
from tests.e2e import tape
from tests.e2e.browser import View, launched
from tests.e2e.site import Site
from tests.integration.redis_server import running_server
from tests.performer import models_dir, require_models  # noqa: F401

#: What the drawn performer does again and again, a second of rest between: a gesture comes by every 2.7 seconds. The
#: film lasts longer than any session here: the same pictures again would be taken for what they are, a recording.
GESTURES = (ChallengeType.TURN_LEFT, ChallengeType.OPEN_MOUTH)
ROUNDS = 5


@pytest.fixture(scope="package")
def gestures(request: pytest.FixtureRequest) -> str:
    """What is done in the film, for `types=`."""
    return str(request.config.getoption("--film-types") or ",".join(GESTURES))


@pytest.fixture(scope="package")
def patience(request: pytest.FixtureRequest) -> int:
    """Seconds until what is asked for comes by in the film: in a recording perhaps only once, before it begins again."""
    return 60 if request.config.getoption("--film") else 20


@pytest.fixture(scope="package")
def film(
    request: pytest.FixtureRequest,
    models_dir: Path,  # noqa: F811
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The film before the camera."""
    path = tmp_path_factory.mktemp("film") / "film.mjpeg"
    recording = request.config.getoption("--film")
    pictures = tape.recorded(recording) if recording else tape.performed(Performer(models_dir), GESTURES * ROUNDS)
    return tape.write(pictures, path)


@pytest.fixture(scope="package")
def site(
    models_dir: Path,  # noqa: F811
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """The service, with a Redis of its own: other tests empty theirs."""
    require_models("dlib_face_recognition_resnet_model_v1.dat")
    with running_server() as server:
        site = Site(
            server.url, tmp_path_factory.mktemp("site"), models_dir.resolve(), LAB="on", ALLOWED_HOSTS="plain.example"
        )
        yield site
        site.close()


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """What drives browsers."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="package")
def browser(playwright: Playwright, film: Path) -> Iterator[Browser]:
    """A browser whose camera shows the film."""
    with launched(playwright, film) as browser:
        yield browser


@pytest.fixture
def look(site: Site, browser: Browser) -> Iterator[Callable[..., View]]:
    """Opens the page for someone new: `look(query, **how)`; how: a context's options, e.g. viewport, locale."""
    contexts = []

    usual = {"locale": "en-GB", "viewport": {"width": 1100, "height": 800}, "permissions": ["camera"]}

    def new(query: str = "", **how: Any) -> View:
        context = browser.new_context(**(usual | how))
        contexts.append(context)
        return View(context.new_page(), site.url).open(query)

    yield new
    for context in contexts:
        context.close()
