"""Below a path of a proxy, and in another site's iframe: nginx before gunicorn as the Procfile starts it, and a browser."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright
from playwright.sync_api import Page as BrowserPage

from liveness_client import Client
from ops.run.ports import free_port
from shared.db import make_engine
from shared.settings import Settings
from tests.e2e.browser import SCREEN, View, launched
from tests.integration import schema
from tests.integration.api.conftest import SESSIONS
from tests.integration.api.test_server import Server, jpeg
from tests.integration.redis_server import RedisServer
from tests.integration.serving.nginx import running_nginx
from tests.unit.api.test_docs import Page
from tests.waiting import PATIENCE

#: By name, the path and whether the service can know it. A: no setting, one trusted proxy. B: gunicorn's SCRIPT_NAME.
SERVERS = """
server {{
    listen 127.0.0.1:{front};
    location /told/    {{ proxy_pass http://127.0.0.1:{a}/; proxy_set_header X-Forwarded-Prefix /told; {host} }}
    location /told/on/ {{ proxy_pass http://127.0.0.1:{a}/; proxy_set_header X-Forwarded-Prefix /told/on/; {host} }}
    location /script/  {{ proxy_pass http://127.0.0.1:{a}/; proxy_set_header SCRIPT_NAME /script; {host} }}
    location /kept/    {{ proxy_pass http://127.0.0.1:{a}; proxy_set_header SCRIPT_NAME /kept; {host} }}
    location /untold/  {{ proxy_pass http://127.0.0.1:{a}/; }}
    location /left/    {{ proxy_pass http://127.0.0.1:{b}/left/; }}
    location /both     {{ proxy_pass http://127.0.0.1:{c}; }}
}}
server {{
    listen 127.0.0.1:{other};
    location = /shop/told {{ default_type text/html; return 200 '{iframe}="http://localhost:{front}/told/">'; }}
    location = /shop/left {{ default_type text/html; return 200 '{iframe}="http://localhost:{front}/left/">'; }}
    location /left/ {{ proxy_pass http://127.0.0.1:{b}/; }}
    location /both/ {{ proxy_pass http://127.0.0.1:{c}/; }}
}}
"""
#: Of a shop that shows the page.
IFRAME = "<!doctype html><title>Shop</title><iframe width=900 height=700 allow=camera src"
#: The proxies, by whether they listen on the first port; the path; and what the service knows of it.
WAYS = [
    (True, "/told", "/told"),
    (True, "/told/on", "/told/on"),
    (True, "/script", "/script"),
    (True, "/kept", "/kept"),
    (True, "/untold", ""),
    (True, "/left", "/left"),
    (False, "/left", "/left"),
    (True, "/both", "/both"),
    (False, "/both", "/both"),
]
ids = [f"{path[1:]}{'' if first else '-taken-off'}" for first, path, _ in WAYS]


@pytest.fixture(scope="module")
def fronts(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The addresses of two proxies before three web processes."""
    directory = tmp_path_factory.mktemp("below")
    settings = Settings(_env_file=None, redis_url=redis_server.url, database_url=f"sqlite:///{directory}/rows.db")
    engine = make_engine(settings.database_url)
    schema.create(engine)
    engine.dispose()
    front, other = free_port(), free_port()
    each = {
        "a": {"TRUSTED_PROXIES": "1", "FRAME_ANCESTORS": f"http://127.0.0.1:{other}"},
        "b": {"SCRIPT_NAME": "/left"},
        "c": {"BASE_PATH": "/both/"},
    }
    webs = {name: Server(settings, directory / f"{name}.log", **variables) for name, variables in each.items()}
    host = "proxy_set_header Host $http_host;"  # a location that sets a header inherits none
    servers = SERVERS.format(
        front=front, other=other, host=host, iframe=IFRAME, **{name: web.port for name, web in webs.items()}
    )
    try:
        with running_nginx(directory, servers, front, other):
            yield f"http://127.0.0.1:{front}", f"http://127.0.0.1:{other}"
    finally:
        for web in webs.values():
            web.stop()


@pytest.fixture(params=WAYS, ids=ids)
def way(request: pytest.FixtureRequest, fronts: tuple[str, str]) -> Iterator[tuple[httpx.Client, str, str]]:
    """A client of one way, the service's address there, and the path that the service knows."""
    first, path, known = request.param
    with httpx.Client(timeout=PATIENCE) as http:
        yield http, f"{fronts[not first]}{path}", known


Way = tuple[httpx.Client, str, str]


def test_the_pages_find_their_files(way: Way) -> None:
    http, root, _ = way
    for page in ("/", "/docs"):
        address = f"{root}{page}"
        answer = http.get(address)
        assert answer.status_code == 200
        assert "'self'" in answer.headers["Content-Security-Policy"]
        found = Page(answer.text)
        assert found.loads
        for load in found.loads + [link for link in found.links if not link.startswith("#")]:
            whole = urljoin(address, load)
            assert whole.startswith(f"{root}/"), "nothing outside of the path"
            assert http.get(whole).status_code == 200, whole


def test_the_api_answers_and_its_problems_lead_to_their_explanation(way: Way) -> None:
    http, root, known = way
    made = http.post(f"{root}{SESSIONS}", json={"num_challenges": 1})
    assert made.status_code == 200
    assert http.get(f"{root}{SESSIONS}/{made.json()['session_id']}").json()["state"] == "pending"
    wrong = http.post(f"{root}{SESSIONS}?prest=strict")
    assert wrong.json()["type"] == f"{known}/docs#problem-invalid_parameter"
    if known:
        explained = http.get(urljoin(f"{root}{SESSIONS}", wrong.json()["type"]))
        assert 'id="problem-invalid_parameter"' in explained.text
    unknown = http.get(f"{root}/nothing")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")


def test_the_python_client_is_given_the_path_in_its_address(way: Way) -> None:
    _, root, _ = way
    with Client(root) as client:
        session = client.open(challenges=1)
        assert client.look(session.id).state == "pending"


def test_the_document_and_the_docs_name_the_path(way: Way) -> None:
    http, root, known = way
    servers = http.get(f"{root}/openapi.json").json().get("servers", [{"url": "/"}])
    assert servers == [{"url": known or "/"}]
    if known:
        assert f"curl {root}{SESSIONS}/SESSION_ID" in http.get(f"{root}/docs").text
        assert urlsplit(root).path == known


def test_without_its_slash_the_path_leads_to_the_page(fronts: tuple[str, str]) -> None:
    answer = httpx.get(f"{fronts[0]}/both?challenges=2", follow_redirects=False, timeout=PATIENCE)
    assert (answer.status_code, answer.headers["Location"]) == (308, "/both/?challenges=2")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    slashes = httpx.get(f"{fronts[0]}/both/web//page.js", follow_redirects=False, timeout=PATIENCE)
    assert slashes.headers["Location"] == "/both/web/page.js", "no host, and no scheme that a proxy has not told"


def test_what_nobody_is_trusted_for_is_not_believed(fronts: tuple[str, str]) -> None:
    for header in ("X-Forwarded-Prefix", "SCRIPT_NAME"):
        answer = httpx.post(f"{fronts[0]}/both{SESSIONS}?x=1", headers={header: "/evil"}, timeout=PATIENCE)
        assert answer.json()["type"] == "/both/docs#problem-invalid_parameter"


@pytest.mark.parametrize("path", ["/told", "/left"])
@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
def test_a_compressed_body_is_refused_behind_nginx_too(fronts: tuple[str, str], path: str, coding: str) -> None:
    root = f"{fronts[0]}{path}{SESSIONS}"
    headers = {"Content-Encoding": coding, "Content-Type": "application/json"}
    for body in (b"\x1f\x8b junk", iter([b"\x1f\x8b", b" junk"])):  # with its length, and in chunks
        answer = httpx.post(root, content=body, headers=headers, timeout=PATIENCE)
        assert (answer.status_code, answer.json()["code"]) == (415, "content_coding")
        assert answer.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("path", ["/told", "/left"])
def test_a_body_in_chunks_and_one_that_is_asked_for_are_read(fronts: tuple[str, str], path: str) -> None:
    root = f"{fronts[0]}{path}{SESSIONS}"
    chunks = httpx.post(
        root,
        content=iter([b'{"num_ch', b'allenges": 2}']),
        headers={"Content-Type": "application/json"},
        timeout=PATIENCE,
    )
    assert len(chunks.json()["challenges"]) == 2
    form = b'--x\r\nContent-Disposition: form-data; name="image"; filename="f"\r\n\r\n' + jpeg() + b"\r\n--x--\r\n"
    frame = httpx.post(
        f"{root}/{'0' * 8}-0000-4000-8000-{'0' * 12}/frame",
        content=iter([form[:40], form[40:]]),
        headers={"Content-Type": "multipart/form-data; boundary=x"},
        timeout=PATIENCE,
    )
    assert frame.json()["code"] == "session_not_found"
    port = urlsplit(root).port
    assert port is not None
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
        head = f"POST {path}{SESSIONS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        client.sendall(f"{head}Content-Length: 21\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n".encode())
        assert client.recv(64).startswith(b"HTTP/1.1 100")
        client.sendall(b'{"num_challenges": 3}')
        whole = b"".join(iter(lambda: client.recv(65536), b""))
    assert b" 200 " in whole.split(b"\r\n\r\n")[-2] + b" "
    assert whole.count(b"timeout_seconds") == 3


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser with a camera that shows a test picture."""
    with sync_playwright() as driver, launched(driver, None, "--use-fake-device-for-media-stream") as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[BrowserPage]:
    context = browser.new_context(permissions=["camera"], locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(1000 * PATIENCE)
    yield page
    context.close()


class TestInABrowser:
    @pytest.mark.parametrize("path", ["/told", "/untold", "/left"])
    def test_below_a_path_the_check_begins_and_frames_are_sent(
        self, fronts: tuple[str, str], page: BrowserPage, path: str
    ) -> None:
        """Also where the service knows nothing of the path: no worker is here to judge the frames."""
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        view = View(page, f"{fronts[0]}{path}").open("?challenges=1")
        with page.expect_request(lambda request: request.url.endswith("/frame")) as frame:
            view.press("Start")
        assert frame.value.url.startswith(f"{view.url}{SESSIONS}/")
        assert all(url.startswith(f"{view.url}/") for url in asked), asked
        assert view.complaints == []

    def test_in_the_iframe_of_a_named_site_the_camera_opens(self, fronts: tuple[str, str], page: BrowserPage) -> None:
        """The shop is http://127.0.0.1, the service http://localhost: to the browser two sites."""
        page.goto(f"{fronts[1]}/shop/told")
        with page.expect_request(lambda request: request.url.endswith("/frame")):
            page.frame_locator("iframe").get_by_role("button", name="Start").click()

    def test_in_the_iframe_of_another_site_nothing_is_shown(self, fronts: tuple[str, str], page: BrowserPage) -> None:
        with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
            page.goto(f"{fronts[1]}/shop/left")
        assert page.frame_locator("iframe").locator(SCREEN).count() == 0
