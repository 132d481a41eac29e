"""What the Python client takes for a call of the service's webhook: calls are signed as the service does it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from liveness_client import InvalidWebhook, verify_webhook
from shared.webhooks import new_secret

AT = 1_795_521_000
SECRET = "whsec_" + "c2VjcmV0" * 8
BODY = json.dumps({"id": "e-1", "type": "liveness.session.completed", "data": {"is_live": True}}).encode()


def called(body: bytes = BODY, *secrets: str, at: int = AT) -> dict[str, str]:
    """The headers with which a call is sent, signed by each of the secrets."""
    signed_at = datetime.fromtimestamp(at, UTC)
    signatures = [Webhook(secret).sign("e-1", signed_at, body.decode()) for secret in secrets or [SECRET]]
    return {"webhook-id": "e-1", "webhook-timestamp": str(at), "webhook-signature": " ".join(signatures)}


def reason(body: bytes, headers: dict[str, str], secret: Any = SECRET, **how: Any) -> str:
    with pytest.raises(InvalidWebhook) as caught:
        verify_webhook(body, headers, secret, **({"at": AT} | how))
    return caught.value.reason


def test_a_signed_call_is_its_event() -> None:
    assert verify_webhook(BODY, called(), SECRET, at=AT)["data"] == {"is_live": True}
    assert verify_webhook(BODY.decode(), called(), SECRET, at=AT)["type"] == "liveness.session.completed"
    upper = {name.title(): value for name, value in called().items()}
    assert verify_webhook(BODY, upper, SECRET, at=AT)["id"] == "e-1"


def test_the_clock_decides_if_no_time_is_given() -> None:
    now = int(datetime.now(UTC).timestamp())
    assert verify_webhook(BODY, called(at=now), SECRET)["id"] == "e-1"
    with pytest.raises(InvalidWebhook, match="300 s"):
        verify_webhook(BODY, called(at=now - 400), SECRET)


@pytest.mark.parametrize("away", [-301, 301])
def test_a_call_of_another_time_is_none(away: int) -> None:
    assert reason(BODY, called(at=AT + away)) == "other_time"
    assert verify_webhook(BODY, called(at=AT + away), SECRET, at=AT, tolerance=302)
    assert verify_webhook(BODY, called(at=AT + away // 2), SECRET, at=AT)


def test_what_was_changed_or_signed_by_others_is_refused() -> None:
    headers = called()
    assert reason(BODY + b" ", headers) == "bad_signature"
    assert reason(BODY, headers | {"webhook-id": "e-2"}) == "bad_signature"
    assert reason(BODY, headers | {"webhook-timestamp": str(AT + 1)}) == "bad_signature"
    assert reason(BODY, headers, new_secret()) == "bad_signature"
    signature = headers["webhook-signature"]
    for wrong in ("", "v1", "v1,", signature[3:], "v1a" + signature[2:], signature[:-1], "v1,é", "v1,\udcff"):
        assert reason(BODY, headers | {"webhook-signature": wrong}) == "bad_signature", wrong


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_header_that_lacks_is_named(name: str) -> None:
    with pytest.raises(InvalidWebhook, match=name) as caught:
        verify_webhook(BODY, {key: value for key, value in called().items() if key != name}, SECRET, at=AT)
    assert caught.value.reason == "header_missing"


@pytest.mark.parametrize("timestamp", ["", "soon", "-1", "1e9", f" {AT}", f"{AT}.0", "١٢٣", "9" * 5000])
def test_a_timestamp_that_is_none_is_refused(timestamp: str) -> None:
    assert reason(BODY, called() | {"webhook-timestamp": timestamp}) == "malformed"


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b"{}", b'{"type": 1}', b"{"])
def test_a_signed_body_that_is_no_event_is_refused(body: bytes) -> None:
    assert reason(body, called(body)) == "malformed"


def test_while_a_secret_is_changed_both_count() -> None:
    other = new_secret()
    assert verify_webhook(BODY, called(BODY, other, SECRET), SECRET, at=AT)
    assert verify_webhook(BODY, called(BODY, other), [SECRET, other], at=AT)
    assert reason(BODY, called(BODY, other), [SECRET, new_secret()]) == "bad_signature"


def test_a_secret_from_a_file_may_end_with_a_newline() -> None:
    assert verify_webhook(BODY, called(), SECRET + "\n", at=AT)
    assert verify_webhook(BODY, called(), SECRET.removeprefix("whsec_"), at=AT)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2VjcmV0", "whsec_nö", "lk_id_secret!", []])
def test_a_secret_that_protects_nothing_is_an_error_of_the_program(secret: Any) -> None:
    """An environment variable that is not set must not let anybody sign."""
    with pytest.raises(ValueError, match="secret"):
        verify_webhook(BODY, called(), secret, at=AT)
