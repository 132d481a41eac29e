"""What a call does not know is refused by name, wherever it stands; nobody gets the default in silence."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from tests.integration.api.conftest import SESSIONS, MakeKey
from tests.integration.api.test_server import jpeg

Start = Callable[..., FlaskClient]
ID = "00000000-0000-4000-8000-000000000000"


def faults(answer: Any) -> dict[str, str]:
    """What an answer says of each parameter; it must be the client's fault, in one sentence."""
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json"), answer.text
    assert answer.json["code"] == "invalid_parameter"
    found = {fault["parameter"]: fault["detail"] for fault in answer.json["errors"]}
    assert all(f"{name} {said}" in answer.json["detail"] for name, said in found.items())
    return found


def count(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM sessions")))


MISSPELT = [
    ("num_challenge", "num_challenges"),
    ("numChallenges", "num_challenges"),
    ("num-challenges", "num_challenges"),
    ("excludes", "exclude"),
    ("prest", "preset"),
    ("Preset", "preset"),
    ("timeout", "timeout_seconds"),
    ("ttl", "ttl_seconds"),
    ("challenge", "challenges"),
    ("types", "challenge_types"),
    ("challengeTypes", "challenge_types"),
    ("tokens", "token"),
]


class TestACreation:
    @pytest.mark.parametrize(("name", "meant"), MISSPELT)
    def test_suggests_what_a_misspelt_name_was_meant_as(
        self, client: FlaskClient, engine: Engine, name: str, meant: str
    ) -> None:
        for answer in (client.post(SESSIONS, query_string={name: "1"}), client.post(SESSIONS, json={name: 1})):
            said = faults(answer)
            assert said.keys() == {name}
            assert f"did you mean {meant}?" in said[name]
            assert "ttl_seconds" in said[name], "and all that are known"
        assert count(engine) == 0

    def test_tells_of_all_strange_names_at_once(self, client: FlaskClient) -> None:
        said = faults(client.post(f"{SESSIONS}?num_challenge=1&excludes=BLINK&prest=strict&num_challenges=2"))
        assert said.keys() == {"num_challenge", "excludes", "prest"}
        said = faults(client.post(f"{SESSIONS}?prest=strict", json={"tokn": True, "xyz": [{}], "preset": "strict"}))
        assert said.keys() == {"prest", "tokn", "xyz"}
        assert "did you mean" not in said["xyz"]

    def test_bounds_what_it_repeats_of_a_stranger_s_words(self, client: FlaskClient) -> None:
        answer = client.post(SESSIONS, json={f"{i}{'x' * 5000}": i for i in range(500)})
        assert len(faults(answer)) == 10
        assert len(answer.data) < 10_000

    def test_takes_a_parameter_once(self, client: FlaskClient) -> None:
        said = faults(client.post(f"{SESSIONS}?preset=strict&preset=lenient&num_challenges=2&num_challenges=2"))
        assert said == {"preset": "is given more than once, with different values"}
        assert client.post(f"{SESSIONS}?token=true&token=true").status_code == 200, "no contradiction"
        twice = client.post(
            SESSIONS, data=b'{"preset": "strict", "preset": "lenient"}', content_type="application/json"
        )
        assert (twice.status_code, twice.json["code"]) == (422, "invalid_parameter")
        assert "twice" in twice.json["detail"]

    def test_refuses_parts_that_it_does_not_know(self, start_app: Start, engine: Engine) -> None:
        client = start_app(identity=True)
        picture = (io.BytesIO(jpeg()), "me.jpg")
        said = faults(client.post(SESSIONS, data={"preset": "strict", "reference": picture}))
        assert said.keys() == {"preset"}
        said = faults(client.post(SESSIONS, data={"referense": (io.BytesIO(jpeg()), "me.jpg")}))
        assert "did you mean reference?" in said["referense"]
        assert count(engine) == 0

    @pytest.mark.parametrize(
        ("body", "kind"),
        [
            (b"num_challenges=1&preset=strict", "application/x-www-form-urlencoded"),
            (b'{"num_challenges": 1}', "text/plain;charset=UTF-8"),
            (b'{"num_challenges": 1}', ""),
            (b"num_challenges: 1", "application/yaml"),
            (b"<num>1</num>", "application/xml"),
            (b"\xff\xd8\xff\xd9", "image/jpeg"),
        ],
    )
    def test_refuses_other_kinds_of_bodies(self, client: FlaskClient, engine: Engine, body: bytes, kind: str) -> None:
        answer = client.post(SESSIONS, data=body, content_type=kind)
        assert (answer.status_code, answer.content_type) == (415, "application/problem+json")
        assert answer.json["code"] == "unsupported_body"
        assert "JSON" in answer.json["detail"]
        assert answer.headers["Accept"] == "application/json, multipart/form-data"
        assert count(engine) == 0

    @pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "application/json", "text/plain", ""])
    def test_takes_an_empty_body_for_none(self, client: FlaskClient, kind: str) -> None:
        """Many a client names a type with every request."""
        answer = client.post(f"{SESSIONS}?num_challenges=2", data=b"", content_type=kind)
        assert len(answer.json["challenges"]) == 2

    @pytest.mark.parametrize(
        "body", ["[]", "null", "3", '"x"', "{", '{"token": NaN}', "[" * 5000, '{"subject": "\\ud800"}']
    )
    def test_refuses_what_is_no_object(self, client: FlaskClient, body: str) -> None:
        answer = client.post(SESSIONS, data=body, content_type="application/json")
        assert (answer.status_code, answer.json["code"]) == (422, "invalid_parameter")
        assert "JSON" in answer.json["detail"]


#: Every call below /api, with a body of its own kind where it has one.
CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", SESSIONS, {}),
    ("GET", f"{SESSIONS}/{ID}", {}),
    ("DELETE", f"{SESSIONS}/{ID}", {}),
    ("POST", f"{SESSIONS}/{ID}/frame", {}),
    ("POST", f"{SESSIONS}/{ID}/frames", {}),
    ("GET", f"{SESSIONS}/{ID}/evidence", {}),
    ("GET", f"{SESSIONS}/{ID}/portrait", {}),
    ("DELETE", f"{SESSIONS}/{ID}/portrait", {}),
    ("GET", f"{SESSIONS}/{ID}/verdict", {}),
    ("GET", f"{SESSIONS}/{ID}/observations", {}),
    ("POST", "/api/v1/liveness/verdicts/check", {"verdict": "x"}),
    ("POST", "/api/v1/webhooks", {"url": "https://example.org/"}),
    ("GET", "/api/v1/webhooks", {}),
    ("GET", f"/api/v1/webhooks/{ID}", {}),
    ("PATCH", f"/api/v1/webhooks/{ID}", {}),
    ("DELETE", f"/api/v1/webhooks/{ID}", {}),
    ("POST", f"/api/v1/webhooks/{ID}/secret", {}),
    ("POST", f"/api/v1/webhooks/{ID}/test", {}),
    ("GET", f"/api/v1/webhooks/{ID}/deliveries", {}),
    ("POST", f"/api/v1/webhooks/{ID}/deliveries/{ID}/redeliver", {}),
]


def test_the_list_of_calls_is_whole(start_app: Start) -> None:
    document = start_app(lab=True).get("/openapi.json").json
    documented = {(m.upper(), re.sub(r"{\w+}", ID, p)) for p, item in document["paths"].items() for m in item}
    assert {call for call in documented if call[1].startswith("/api/")} == {(m, p) for m, p, _ in CALLS}


@pytest.mark.parametrize(("method", "path", "_body"), CALLS)
def test_no_call_ignores_a_parameter(start_app: Start, method: str, path: str, _body: dict[str, Any]) -> None:
    said = faults(start_app(lab=True).open(f"{path}?audiense=x", method=method))
    assert said.keys() == {"audiense"}
    assert ("did you mean audience?" in said["audiense"]) == path.endswith("/verdict")


@pytest.mark.parametrize(("method", "path", "body"), [call for call in CALLS if call[0] in ("POST", "PATCH")])
def test_no_call_ignores_a_field_a_form_or_a_coding(
    client: FlaskClient, method: str, path: str, body: dict[str, Any]
) -> None:
    of_pictures = path.endswith(("/frame", "/frames"))
    if not of_pictures:
        assert faults(client.open(path, method=method, json=body | {"urls": 1})).keys() == {"urls"}
        form = client.open(path, method=method, data={"url": "https://example.org/", "preset": "strict"})
        if path != SESSIONS:  # where a form is one of pictures
            assert (form.status_code, form.json["code"]) == (415, "unsupported_body")
        form = client.open(path, method=method, data=b"url=x", content_type="application/x-www-form-urlencoded")
        assert (form.status_code, form.json["code"]) == (415, "unsupported_body")
    for coding in ("gzip", "deflate", "br", "zstd", "x-gzip", "gzip, identity", "GZIP"):
        answer = client.open(
            path,
            method=method,
            data=gzip.compress(b"{}"),
            content_type="application/json",
            headers={"Content-Encoding": coding},
        )
        assert (answer.status_code, answer.json["code"]) == (415, "content_coding"), coding
        assert answer.headers["Accept-Encoding"] == "identity"


def test_a_small_body_that_would_grow_is_not_unpacked(client: FlaskClient) -> None:
    bomb = zlib.compress(b'{"subject": "' + bytes(200_000_000) + b'"}', 9)
    for coding, kind in (("deflate", "application/json"), ("deflate", "multipart/form-data; boundary=x")):
        answer = client.post(SESSIONS, data=bomb, content_type=kind, headers={"Content-Encoding": coding})
        assert (answer.status_code, answer.json["code"]) == (415, "content_coding")


def test_a_body_that_is_said_to_be_as_it_is_is_taken(client: FlaskClient) -> None:
    answer = client.post(SESSIONS, json={"num_challenges": 2}, headers={"Content-Encoding": "identity"})
    assert len(answer.json["challenges"]) == 2
    assert client.post(SESSIONS, headers={"Content-Encoding": "gzip"}).status_code == 200, "there is no body"


def test_a_stranger_is_told_that_first(start_app: Start, make_key: MakeKey) -> None:
    client = start_app(auth="required")
    assert client.post(f"{SESSIONS}?prest=strict").status_code == 401
    assert client.get(f"{SESSIONS}/{ID}/evidence?x=1", headers=make_key("client").headers).status_code == 403


def test_pages_and_probes_take_what_comes(client: FlaskClient) -> None:
    for path in ("/?challenges=3&utm_source=x", "/docs?x", "/livez?probe=1", "/openapi.json?v=2"):
        assert client.get(path).status_code == 200
