"""Bodies of JSON that no program in good faith sends: each is a 422, never a 500."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

HOOKS = "/api/v1/webhooks"
URL = "https://example.org/events"

#: Bodies that a webhook's creation and its change refuse alike.
HOSTILE = {
    "nested lists": b"[" * 100_000,
    "nested objects": b'{"a":' * 100_000,
    "nested lists that end": b"[" * 20_000 + b"]" * 20_000,
    "nested inside of a known field": b'{"url": "https://example.org/", "types": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    "a surrogate in the URL": json.dumps({"url": URL + "/\ud800"}).encode(),
    "a surrogate in the host": json.dumps({"url": "https://\udfff.example.org/"}).encode(),
    "a surrogate in a type": json.dumps({"url": URL, "types": ["\ud800"]}).encode(),
    "a surrogate in a name": json.dumps({"url": URL, "\ud800": 1}).encode(),
    "a surrogate deep inside": json.dumps({"url": URL, "types": [[{"a": "\ud800"}]]}).encode(),
    "a surrogate as UTF-8": b'{"url": "https://example.org/\xed\xa0\x80"}',
    "JSON in JSON": json.dumps("[" * 50_000).encode(),
    "a surrogate in JSON in JSON": json.dumps('{"url": "\\ud800"}').encode(),
    "a NUL": json.dumps({"url": URL + "\0"}).encode(),
    "a number of many digits": b'{"url": ' + b"9" * 10_000 + b"}",
    "no Unicode": b'{"url": "\xff\xfe"}',
    "not a number": b'{"url": NaN}',
    "nothing": b"",
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_such_a_body_is_refused_and_is_no_fault(client: FlaskClient, method: str, name: str) -> None:
    path = HOOKS if method == "POST" else f"{HOOKS}/{'0' * 8}-0000-4000-8000-{'0' * 12}"
    answer: Any = client.open(path, method=method, data=HOSTILE[name], content_type="application/json")
    assert answer.status_code == 422, answer.text[:300]
    assert answer.json["code"] in ("invalid_parameter", "webhook_url")
    assert len(answer.data) < 20_000


def test_characters_beyond_the_basic_plane_are_no_lone_surrogates(client: FlaskClient) -> None:
    answer = client.post(
        HOOKS, data=rb'{"url": "https://example.org/", "types": ["\ud83d\ude00"]}', content_type="application/json"
    )
    assert "\U0001f600 is not one of" in answer.json["detail"]
