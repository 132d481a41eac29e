"""What browsers are told, and whose word is believed about where a request comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import request
from flask.testing import FlaskClient
from flask_openapi import OpenAPI

from api import addresses, cors, create_app
from shared.settings import Settings

SESSIONS = "/api/v1/liveness/sessions"
SITE = "https://www.example.org"


@pytest.fixture
def start(lone_settings: Settings) -> Iterator[Callable[..., FlaskClient]]:
    apps: list[OpenAPI] = []

    def new(**changes: object) -> FlaskClient:
        app = create_app(lone_settings.model_copy(update=changes))
        app.add_url_rule("/seen-as", view_func=lambda: [str(addresses.address()), request.scheme, request.host])
        apps.append(app)
        return app.test_client()

    yield new
    for app in apps:
        app.extensions["resources"].close()


@pytest.mark.parametrize("path", ["/", "/docs", "/livez", "/openapi.json", f"{SESSIONS}?num_challenges=0", "/nothing"])
def test_every_answer_is_hardened(start: Callable[..., FlaskClient], path: str) -> None:
    answer = start().open(path, method="POST" if "sessions" in path else "GET")
    headers = answer.headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert ("camera=(self)" if path == "/" else "camera=()") in headers["Permissions-Policy"]
    assert "Strict-Transport-Security" not in headers
    assert "Access-Control-Allow-Origin" not in headers
    assert "Set-Cookie" not in headers


def test_https_is_stayed_with(start: Callable[..., FlaskClient]) -> None:
    answer = start().get("/livez", base_url="https://liveness.example.org")
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_other_sites_may_call_only_if_they_are_named(start: Callable[..., FlaskClient]) -> None:
    def preflight(client: FlaskClient, origin: str) -> dict[str, str]:
        asked = {
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization",
        }
        answer = client.options(f"{SESSIONS}/x/frame", headers=asked)
        assert answer.status_code == 200
        return {name.lower(): value for name, value in answer.headers.items()}

    nobody = start()
    assert "access-control-allow-origin" not in preflight(nobody, SITE)
    client = start(cors_origins=f"{SITE}, http://localhost:3000", auth="required")
    for origin in (SITE, "http://localhost:3000"):
        allowed = preflight(client, origin)
        assert allowed["access-control-allow-origin"] == origin
        assert "authorization" in allowed["access-control-allow-headers"].lower()
        assert "access-control-allow-credentials" not in allowed
    for stranger in ("https://evil.example", "https://www.example.org.evil.example", "null", "http://www.example.org"):
        assert "access-control-allow-origin" not in preflight(client, stranger)
    told = client.post(f"{SESSIONS}?num_challenges=0", headers={"Origin": SITE})
    assert told.headers["Access-Control-Allow-Origin"] == SITE, "an error can be read, too"
    assert "Retry-After" in told.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Origin" not in client.get("/docs", headers={"Origin": SITE}).headers


#: A character that means something in regular expressions, an origin with it, and one that it would match as a pattern.
PATTERNS = [
    (".", "https://www.example.org", "https://wwwxexample.org"),
    ("[]", "https://[2001:db8::1]", "https://1.attacker.example"),
    ("[]", "https://[2001:db8::1]", "https://1"),
    ("[]", "https://[2001:db8::1]:8443", "https://b:8443"),
    ("*", "https://a*.example", "https://aaa.example"),
    ("+", "https://a+.example", "https://aaa.example"),
    ("?", "https://ab?.example", "https://a.example"),
    ("^", "^https://a.example", "https://a.example"),
    ("$", "https://a.example$", "https://a.example"),
    ("|", "https://a.example|https://b.example", "https://b.example"),
    ("()", "https://(a).example", "https://a.example"),
    ("{}", "https://a{3}.example", "https://aaa.example"),
    ("\\", r"https://\w.example", "https://w.example"),
    ("(?i)", "(?i)https://a.example", "https://A.example"),
    (".*", ".*", "https://evil.example"),
    ("*", "*", "https://evil.example"),
]


@pytest.mark.parametrize(("_character", "origin", "matched"), PATTERNS)
def test_an_origin_is_a_string_and_no_pattern(
    start: Callable[..., FlaskClient], _character: str, origin: str, matched: str
) -> None:
    """`model_copy` sets also what the setting refuses: the comparison does not rely on the setting's check."""
    client = start(cors_origins=f"{origin},https://other.example")
    for stranger in (matched, f"{matched}.evil.example", matched.upper(), f"https://other.example\n{matched}", ""):
        answer = client.options(f"{SESSIONS}/x/frame", headers={"Origin": stranger.replace("\n", " ")})
        assert "Access-Control-Allow-Origin" not in answer.headers, stranger
        assert "Origin" in answer.headers["Vary"]
    answer = client.options(f"{SESSIONS}/x/frame", headers={"Origin": "https://other.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "https://other.example"


def test_an_ipv6_origin_and_no_other_is_let_in(start: Callable[..., FlaskClient]) -> None:
    client = start(cors_origins="https://[2001:DB8:0::1]:8443,http://[::1]:80")
    for origin in ("https://[2001:db8::1]:8443", "http://[::1]"):  # as browsers write them
        answer = client.get(f"{SESSIONS}/x", headers={"Origin": origin})
        assert answer.headers["Access-Control-Allow-Origin"] == origin


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("https://WWW.Example.org", "https://www.example.org"),
        ("https://www.example.org:443", "https://www.example.org"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("https://[2001:db8:0:0::1]", "https://[2001:db8::1]"),
        ("Capacitor://localhost", "capacitor://localhost"),
        ("app://CamelCase", "app://CamelCase"),
        ("app://x:443", "app://x:443"),
        ("file://", "file://"),
        ("null", "null"),
    ],
)
def test_an_origin_is_compared_as_browsers_write_it(written: str, sent: str) -> None:
    assert cors.canonical(written) == sent


#: What the pages in apps' WebViews send as their origin: Capacitor, Ionic, Cordova, Tauri, Electron, browsers' extensions.
OF_APPS = [
    "capacitor://localhost",
    "ionic://localhost",
    "http://localhost",
    "https://localhost",
    "tauri://localhost",
    "http://tauri.localhost",
    "app://.",
    "app://localhost",
    "my-app+v2.x://host_1:8080",
    "app://CamelCase",
    "chrome-extension://aapbdbdomjkkjkaonfhkkikfgjllcleb",
    "file://",
    "null",
]


@pytest.mark.parametrize("origin", OF_APPS)
def test_the_page_of_an_app_may_call_if_it_is_named(start: Callable[..., FlaskClient], origin: str) -> None:
    settings = Settings(_env_file=None, cors_origins=f"{SITE},{origin}")
    client = start(cors_origins=settings.cors_origins, auth="required")
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    answer = client.options(SESSIONS, headers={"Origin": origin, **asked})
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert {"Authorization", "Content-Type"} <= set(answer.headers["Access-Control-Allow-Headers"].split(", "))
    assert "Origin" in answer.headers["Vary"]
    refused = client.post(SESSIONS, headers={"Origin": origin})
    assert (refused.status_code, refused.headers["Access-Control-Allow-Origin"]) == (401, origin)
    for stranger in {"null", "file://", "capacitor://evil", f"{origin}.evil", "https://evil.example"} - {origin}:
        assert (
            "Access-Control-Allow-Origin" not in client.options(SESSIONS, headers={"Origin": stranger, **asked}).headers
        )


def test_other_sites_embed_the_page_only_if_they_are_named(start: Callable[..., FlaskClient]) -> None:
    def ancestors(client: FlaskClient, path: str) -> str:
        policy = client.get(path).headers["Content-Security-Policy"]
        assert policy.count("frame-ancestors") == 1
        return policy.partition("frame-ancestors ")[2].partition(";")[0]

    nobody = start(lab=True)
    assert ancestors(nobody, "/") == "'self'"
    client = start(frame_ancestors=f"https://Example.org:443, {SITE},capacitor://localhost", lab=True)
    assert ancestors(client, "/") == f"'self' https://example.org {SITE} capacitor://localhost"
    assert "camera=(self)" in client.get("/").headers["Permissions-Policy"], "delegated by the iframe's allow"
    assert ancestors(client, "/lab") == "'self'"
    assert ancestors(client, "/docs") == ancestors(client, "/livez") == "'none'"


@pytest.mark.parametrize(
    "wrong", ["null", "*", "file://", "https:", "https://example.org/", "'self'", "https://a; script-src *"]
)
def test_who_may_embed_the_page_is_an_origin(wrong: str) -> None:
    with pytest.raises(ValueError, match="must be origins"):
        Settings(_env_file=None, frame_ancestors=wrong)


@pytest.mark.parametrize("wrong", ["https://[1.2.3.4]", "https://[::g]", "https://[]", "https://[::1", "https://[:::]"])
def test_an_ipv6_origin_must_be_an_address(wrong: str) -> None:
    with pytest.raises(ValueError, match="must be origins"):
        Settings(_env_file=None, cors_origins=wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        "*",
        "example.org",
        "https://example.org/path",
        "https://example.org/",
        "https://*.example.org",
        "https://a b",
        "https://user:pass@a.example",
        "https://a.example:99999",
        "capacitor://",
        "capacitor:localhost",
        "://localhost",
        "app://[::1]",
        "app://local host",
        "app://a/b",
        "*://localhost",
        "Null://",
        "file:///index.html",
        "1app://x",
    ],
)
def test_an_origin_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="must be origins"):
        Settings(_env_file=None, cors_origins=wrong)


@pytest.mark.parametrize(
    ("proxies", "forwarded", "believed"),
    [
        (0, "198.51.100.1", "127.0.0.1"),
        (1, "198.51.100.1", "198.51.100.1"),
        (1, "203.0.113.9, 198.51.100.1", "198.51.100.1"),
        (2, "203.0.113.9, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        (2, "198.51.100.1", "127.0.0.1"),
        (1, "::ffff:198.51.100.1", "198.51.100.1"),
        (1, "what a nonsense", "None"),
    ],
)
def test_as_many_proxies_are_believed_as_there_are(
    start: Callable[..., FlaskClient], proxies: int, forwarded: str, believed: str
) -> None:
    said = {"X-Forwarded-For": forwarded, "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}
    client, scheme, host = start(trusted_proxies=proxies).get("/seen-as", headers=said).json
    assert client == believed
    assert scheme == ("https" if proxies == 1 else "http")
    assert host == "localhost", "no proxy's word"


@pytest.mark.parametrize(
    ("address", "customer", "coarse"),
    [
        ("192.0.2.77", "192.0.2.77/32", "192.0.2.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("", "unknown", "unknown"),
    ],
)
def test_networks(lone_app: OpenAPI, address: str, customer: str, coarse: str) -> None:
    with lone_app.test_request_context(environ_base={"REMOTE_ADDR": address}):
        assert addresses.network(addresses.CUSTOMER) == customer
        assert addresses.network(addresses.COARSE) == coarse
