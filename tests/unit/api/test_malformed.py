"""Malformed input of every depth and spelling is the client's fault: 4xx, never a fault of ours."""

from __future__ import annotations

import base64

import pytest
from flask_openapi import OpenAPI
from pydantic import SecretStr

from api import tokens
from api.lab_schemas import KeptPage
from api.schemas import SessionOptions
from shared.db.root_secret import RootSecret

DEEP = 100_000
ID = "00000000-0000-4000-8000-000000000000"
WRONG = [
    "[" * DEEP,
    "[" * DEEP + "]" * DEEP,
    '{"url":' * DEEP + "1" + "}" * DEEP,
    '{"url": "https://example.org/", "types": ' + "[" * 5000 + "]" * 5000 + "}",
    '"' + "[" * DEEP + '"',  # a string, which is read as a document once more
    '{"url": "https://example.org/\\ud800"}',
    '{"url": "https://example.org/", "types": ["\\udfff"]}',
    '{"\\ud800": 1}',
    '{"url": NaN}',
    '{"url": -Infinity}',
    '{"url": 1' + "0" * 5000 + "}",
    "",
    "null",
    "\x00",
]


@pytest.mark.parametrize("body", WRONG, ids=range(len(WRONG)))
def test_a_malformed_document_is_refused_wherever_one_is_read(lone_app: OpenAPI, body: str) -> None:
    client = lone_app.test_client()
    paths = [rule for rule in lone_app.url_map.iter_rules() if rule.methods and {"POST", "PATCH"} & rule.methods]
    assert len(paths) > 5
    for rule in paths:
        path = rule.rule
        for name in rule.arguments:
            path = path.replace(f"<{name}>", ID)
        for method in {"POST", "PATCH"} & (rule.methods or set()):
            answer = client.open(path, method=method, data=body, content_type="application/json")
            # The database and Redis are away, which calls that read no body say first.
            assert 400 <= answer.status_code < 500 or answer.status_code == 503, (path, answer.text)
    assert client.post("/api/v1/webhooks", data=body, content_type="application/json").status_code == 422
    answer = client.patch(f"/api/v1/webhooks/{ID}", data=body, content_type="application/json")
    assert answer.status_code == 422


@pytest.mark.parametrize("part", ["header", "claims"])
def test_a_token_of_deeply_nested_json_is_none(part: str) -> None:
    def coded(text: str) -> str:
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    deep = '{"alg":"HS256","typ":' + "[" * 5000 + "]" * 5000 + "}"
    head, claims = (deep, "{}") if part == "header" else ('{"alg":"HS256","typ":"JWT"}', deep)
    secret = RootSecret(lambda: pytest.fail("no database"), SecretStr("x" * 40))
    given = f"{coded(head)}.{coded(claims)}."
    if part == "claims":  # the claims are read after the signature
        given = tokens.jwt.encode({}, secret.key("session tokens"), algorithm="HS256")
        first, _, _ = given.split(".")
        signed = f"{first}.{coded(claims)}".encode()
        algorithm = tokens.jwt.algorithms.get_default_algorithms()["HS256"]
        mac = algorithm.sign(signed, algorithm.prepare_key(secret.key("session tokens")))
        given = f"{signed.decode()}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
    assert tokens.looks_like_one(given)
    assert tokens.read(secret, given, 1.0) is None


NUMBERS = [
    "5_0",
    "1_0.0",
    " 5",
    "5 ",
    "+5",
    "\N{FULLWIDTH DIGIT FIVE}",
    "\N{ARABIC-INDIC DIGIT FIVE}",
    "5.",
    ".5",
    "0x5",
]
NUMBERS += ["0b1", "5L", "5j", "inf", "nan", "Infinity", "1e400", "1e", "--5", "", "None", "true", "5,0", "5\n"]
FLAGS = ["yes", "no", "on", "off", "t", "f", "y", "n", "2", "-1", "1.0", "", "None", " true", "true\n"]
WORDS = ["Preset.STRICT", "STRICT", " strict", "strict\n", "State.PENDING", "0", "None"]


@pytest.mark.parametrize("name", ["num_challenges", "timeout_seconds"])
@pytest.mark.parametrize("written", NUMBERS)
def test_a_number_is_written_plainly(lone_app: OpenAPI, name: str, written: str) -> None:
    _is_refused(lone_app, name, written)


@pytest.mark.parametrize("name", ["mirrored", "portrait", "token"])
@pytest.mark.parametrize("written", FLAGS)
def test_a_truth_value_is_written_plainly(lone_app: OpenAPI, name: str, written: str) -> None:
    _is_refused(lone_app, name, written)


@pytest.mark.parametrize("name", ["preset", "reveal", "challenge_types", "exclude"])
@pytest.mark.parametrize("written", WORDS)
def test_a_word_is_one_of_those_that_are_documented(lone_app: OpenAPI, name: str, written: str) -> None:
    _is_refused(lone_app, name, written)


def _is_refused(app: OpenAPI, name: str, written: str) -> None:
    answer = app.test_client().post("/api/v1/liveness/sessions", query_string={name: written})
    assert answer.status_code == 422, answer.text
    assert answer.json["errors"][0]["parameter"] == name
    assert answer.json["errors"][0]["detail"].startswith("must be ")


@pytest.mark.parametrize(
    ("name", "written", "read"),
    [
        ("num_challenges", "3", 3),
        ("num_challenges", "10", 10),
        ("num_challenges", "3.0", 3),
        ("timeout_seconds", "5", 5.0),
        ("timeout_seconds", "5.25", 5.25),
        ("timeout_seconds", "5e0", 5.0),
        ("timeout_seconds", "2.5E+1", 25.0),
        ("mirrored", "true", True),
        ("mirrored", "False", False),  # as Python's programs write it
        ("mirrored", "1", True),
        ("preset", "strict", "strict"),
    ],
)
def test_what_clients_write_is_taken(name: str, written: str, read: object) -> None:
    assert getattr(SessionOptions.model_validate({name: written}), name) == read


def test_the_lab_reads_its_time_alike() -> None:
    assert KeptPage.model_validate({"after": "1790000000.123456"}).after == 1790000000.123456
    with pytest.raises(ValueError, match="must be a time"):
        KeptPage.model_validate({"after": "1_0"})
