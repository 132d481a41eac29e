"""The OpenAPI document and the page made from it."""

from __future__ import annotations

import sys
from html.parser import HTMLParser

import pytest
from flask_openapi import OpenAPI
from openapi_spec_validator import validate

from api import create_app
from api.problems import KINDS
from shared.liveness.challenge import ChallengeType
from shared.liveness.observation import Face, Observation
from shared.settings import Settings

CALLS = {
    ("/api/v1/liveness/sessions", "post"),
    ("/api/v1/liveness/sessions/{session_id}", "get"),
    ("/api/v1/liveness/sessions/{session_id}", "delete"),
    ("/api/v1/liveness/sessions/{session_id}/frame", "post"),
    ("/api/v1/liveness/sessions/{session_id}/frames", "post"),
    ("/api/v1/liveness/sessions/{session_id}/evidence", "get"),
    ("/api/v1/liveness/sessions/{session_id}/portrait", "get"),
    ("/api/v1/liveness/sessions/{session_id}/portrait", "delete"),
    ("/api/v1/webhooks", "post"),
    ("/api/v1/webhooks", "get"),
    ("/api/v1/webhooks/{webhook_id}", "get"),
    ("/api/v1/webhooks/{webhook_id}", "patch"),
    ("/api/v1/webhooks/{webhook_id}", "delete"),
    ("/api/v1/webhooks/{webhook_id}/secret", "post"),
    ("/api/v1/webhooks/{webhook_id}/test", "post"),
    ("/api/v1/webhooks/{webhook_id}/deliveries", "get"),
    ("/api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver", "post"),
    ("/api/v1/liveness/sessions/{session_id}/verdict", "get"),
    ("/api/v1/liveness/verdicts/check", "post"),
    ("/.well-known/jwks.json", "get"),
    ("/livez", "get"),
    ("/readyz", "get"),
}


class Page(HTMLParser):
    """What a page refers to."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()
        self.inline: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            elif name == "href":
                (self.links if tag == "a" else self.loads).append(value or "")
            elif name in ("src", "srcset", "data", "action"):
                self.loads.append(value or "")
            elif name == "style" or name.startswith("on"):
                self.inline.append(f"{tag} {name}")


def test_the_document_is_valid_openapi_and_holds_every_call(lone_app: OpenAPI) -> None:
    answer = lone_app.test_client().get("/openapi.json")
    assert answer.content_type == "application/json"
    document = answer.json
    assert document["openapi"].startswith("3.")
    validate(document)
    assert {(path, method) for path, item in document["paths"].items() for method in item} == CALLS


def test_the_document_tells_the_ranges_that_are_checked(lone_app: OpenAPI) -> None:
    document = lone_app.test_client().get("/openapi.json").json
    parameters = {p["name"]: p for p in document["paths"]["/api/v1/liveness/sessions"]["post"]["parameters"]}
    assert {name: p["schema"].get("default") for name, p in parameters.items()} == {
        "num_challenges": 3,
        "timeout_seconds": 5.0,
        "mirrored": False,
        "challenge_types": list(ChallengeType),
        "exclude": [],
        "challenges": None,
        "ttl_seconds": None,
        "reveal": "all",
        "preset": None,  # the operator's choice
        "portrait": False,
        "sequence": "off",
        "nonce": None,
        "token": False,
        "relying_party": None,
        "subject": None,
        "Idempotency-Key": None,
    }
    assert not any(p["required"] for p in parameters.values())
    count, seconds = parameters["num_challenges"]["schema"], parameters["timeout_seconds"]["schema"]
    assert (count["type"], count["minimum"], count["maximum"]) == ("integer", 1, 10)
    assert (seconds["type"], seconds["minimum"], seconds["maximum"]) == ("number", 1, 60)
    schemas = document["components"]["schemas"]
    for name in ("challenge_types", "exclude"):
        assert parameters[name]["schema"]["type"] == "array"
        assert parameters[name]["schema"]["items"] == {"$ref": "#/components/schemas/ChallengeType"}
    assert schemas["ChallengeType"]["enum"] == list(ChallengeType)
    assert parameters["reveal"]["schema"]["enum"] == ["all", "next"]
    assert parameters["preset"]["schema"]["$ref"] == "#/components/schemas/Preset"
    assert schemas["Preset"]["enum"] == ["lenient", "standard", "strict"]


def test_the_document_has_the_options_as_a_json_body_too(lone_app: OpenAPI) -> None:
    document = lone_app.test_client().get("/openapi.json").json
    create = document["paths"]["/api/v1/liveness/sessions"]["post"]
    assert not create["requestBody"]["required"]
    content = create["requestBody"]["content"]
    assert content.keys() == {"application/json", "multipart/form-data"}
    assert content["application/json"]["schema"] == {"$ref": "#/components/schemas/SessionBody"}
    body = document["components"]["schemas"]["SessionBody"]
    assert not body["additionalProperties"]
    assert "required" not in body
    in_query = {p["name"]: p["schema"] for p in create["parameters"] if p["in"] == "query"}
    assert body["properties"] == in_query, "the same names, types and limits"


def test_only_problems_that_can_come_are_documented(lone_app: OpenAPI) -> None:
    document = lone_app.test_client().get("/openapi.json").json
    said = {
        (path, method): set(op["responses"]) for path, item in document["paths"].items() for method, op in item.items()
    }
    assert said["/livez", "get"] == {"200"}
    assert said["/readyz", "get"] == {"200", "503"}
    of_one = {"200", "401", "403", "404", "408", "422", "429", "500", "503"}
    assert said["/api/v1/liveness/sessions/{session_id}", "delete"] == of_one | {"409"}
    assert said["/api/v1/liveness/sessions/{session_id}/evidence", "get"] == of_one
    assert said["/api/v1/liveness/sessions/{session_id}/portrait", "get"] == of_one
    assert said["/api/v1/liveness/sessions", "post"] == {
        "200",
        "400",
        "401",
        "403",
        "408",
        "409",
        "413",
        "415",
        "422",
        "429",
        "500",
        "503",
    }
    frame = document["paths"]["/api/v1/liveness/sessions/{session_id}/frame"]["post"]
    assert set(frame["responses"]) == {
        "200",
        "400",
        "401",
        "403",
        "404",
        "408",
        "409",
        "413",
        "415",
        "422",
        "429",
        "500",
        "503",
    }
    assert frame["requestBody"]["content"].keys() == {"multipart/form-data"}
    for status, answer in frame["responses"].items():
        assert answer["content"].keys() == {"application/json" if status == "200" else "application/problem+json"}


def test_the_page_loads_nothing_from_another_host(lone_app: OpenAPI) -> None:
    client = lone_app.test_client()
    answer = client.get("/docs")
    page = Page(answer.text)
    assert page.loads == ["static/docs.css"], "relative, for a service below a path"
    with client.get("/static/docs.css") as style:
        assert style.content_type.startswith("text/css")
        assert "url(" not in style.text
    assert not page.tags & {"script", "iframe", "object", "embed", "style", "form"}
    assert not page.inline
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def test_the_page_explains_every_call_and_every_problem(lone_app: OpenAPI) -> None:
    page = Page(lone_app.test_client().get("/docs").text)
    assert {f"problem-{code}" for code in KINDS} <= set(page.ids)
    calls = {"create_session", "get_session", "cancel_session", "submit_frame", "get_evidence", "get_portrait"}
    assert calls | {"livez", "readyz"} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids), "no link leads nowhere"


def test_the_lab_is_documented_and_has_every_measure(lone_settings: Settings) -> None:
    app = create_app(lone_settings.model_copy(update={"lab": True}))
    document = app.test_client().get("/openapi.json").json
    validate(document)
    assert app.test_client().get("/docs").status_code == 200
    schemas = document["components"]["schemas"]
    assert schemas["KeptFrame"]["properties"].keys() == {"id", "at", "answer", *Observation.__slots__}
    assert schemas["Face"]["properties"].keys() == set(Face.__slots__)
    assert schemas["Problem"]["properties"].keys() >= {"title", "status"}, "the API's, not an observation's"
    app.extensions["resources"].close()


def test_the_page_does_not_trust_the_host_header(lone_app: OpenAPI) -> None:
    client = lone_app.test_client()
    for path in ("/docs", "/docs"):  # the second time it has been made before
        answer = client.get(path, headers={"Host": "[::1]"}, base_url="https://localhost")
        assert "https://[::1]/api/v1" in answer.text
    settings = lone_app.extensions["resources"].settings.model_copy(update={"allowed_hosts": "*"})
    lone_app.extensions["resources"].settings = settings
    answer = client.get("/docs", headers={"Host": "x'><script>"})
    assert answer.status_code == 200
    assert "<script" not in answer.text


def test_the_page_is_made_once_for_all_addresses(lone_app: OpenAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    client = lone_app.test_client()
    first = client.get("/docs", headers={"Host": "localhost:8000"}).text
    monkeypatch.setattr(sys.modules["api.docs"], "render_template", lambda *_, **__: pytest.fail("made again"))
    assert client.get("/docs", headers={"Host": "localhost:8000"}).text == first
    assert client.get("/docs", headers={"Host": "127.0.0.1:9"}).text == first.replace("localhost:8000", "127.0.0.1:9")
    assert "\N{OBJECT REPLACEMENT CHARACTER}" not in first
