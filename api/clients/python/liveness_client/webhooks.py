"""The check that a webhook's call came from the service, unchanged and lately (Standard Webhooks; docs/webhooks.md)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, cast

from liveness_client.errors import InvalidWebhook

#: Seconds by which a call's timestamp may differ from this machine's clock, as Standard Webhooks recommends.
TOLERANCE = 300.0
#: Bytes that a signing secret has at least, after Standard Webhooks. An empty one would let anybody sign.
_SHORTEST = 24
_PREFIX = "whsec_"
_VERSION = b"v1,"


class Event(TypedDict):
    """An event, as docs/events.md of the service describes it."""

    specversion: str
    #: The same for each attempt to deliver the event: a delivery may come twice.
    id: str
    source: str
    #: Such as `liveness.session.completed`.
    type: str
    #: The session's id.
    subject: str
    time: str
    #: Grows from event to event of a session; compare it as text.
    sequence: str
    #: What happened; of `liveness.session.completed` its `is_live` is the verdict.
    data: dict[str, Any]


def verify_webhook(
    body: bytes | str,
    headers: Mapping[str, str],
    secret: str | Sequence[str],
    *,
    tolerance: float = TOLERANCE,
    at: float | None = None,
) -> Event:
    """Return the event of a webhook's call, if the service has signed it; raise `InvalidWebhook` otherwise.

    body: the received body, byte by byte. headers: the received headers; their names in any case. secret: the webhook's
    secret (`whsec_…`), or several, of which one must have signed. tolerance: seconds by which the timestamp may differ from
    the clock. at: the time of the call, in seconds since the epoch; by default now.

    Raises ValueError for a secret that is none.
    """
    keys = [_key(each) for each in ([secret] if isinstance(secret, str) else secret)]
    if not keys:
        raise ValueError("no secret is given")
    received = body.encode() if isinstance(body, str) else body
    given = {name.lower(): value for name, value in headers.items()}
    try:
        call_id, sent_at, signatures = (given[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
    except KeyError as missing:
        raise InvalidWebhook("header_missing", f"The call has no header {missing}.") from None
    if not re.fullmatch(r"[0-9]{1,12}", sent_at):
        raise InvalidWebhook("malformed", "The call's timestamp is not a whole number of seconds.")
    signed = b".".join((call_id.encode(errors="replace"), sent_at.encode(), received))
    expected = [base64.b64encode(hmac.digest(key, signed, hashlib.sha256)) for key in keys]
    offered = [
        each[len(_VERSION) :] for each in signatures.encode(errors="replace").split(b" ") if each.startswith(_VERSION)
    ]
    # Every pair is compared, so that the time tells nothing about which one matched.
    matches = [hmac.compare_digest(one, other) for one in expected for other in offered]
    if not any(matches):
        raise InvalidWebhook("bad_signature", "The call was not signed with this webhook's secret, or was changed.")
    if abs((time.time() if at is None else at) - int(sent_at)) > tolerance:
        raise InvalidWebhook(
            "other_time", f"The call's timestamp is more than {tolerance:g} s from this machine's clock."
        )
    return _event(received)


def _key(secret: str) -> bytes:
    """The bytes of a secret; white space around it, as of a file that ends with a newline, is ignored."""
    try:
        key = base64.b64decode(secret.strip().removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) < _SHORTEST:
        raise ValueError(
            "the secret of a webhook is whsec_ and at least 24 bytes in base64, as its creation answered it"
        )
    return key


def _event(body: bytes) -> Event:
    try:
        event = json.loads(body)
    except ValueError:
        event = None
    if not isinstance(event, dict) or not isinstance(event.get("type"), str):
        raise InvalidWebhook("malformed", "The call's body is no event.")
    return cast(Event, event)
