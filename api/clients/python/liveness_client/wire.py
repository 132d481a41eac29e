"""The requests and the parsing of the answers, without I/O: what `Client` and `AsyncClient` share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal, TypedDict

import httpx

from liveness_client.codes import ENDED, Preset
from liveness_client.errors import Busy, ClientError, Refused, Unreachable
from liveness_client.models import Challenge, Framing, Reply, Session

#: Seconds to wait for an answer; more than a server waits for its workers, so that its 503 arrives.
ANSWER_WITHIN = 15.0
#: Seconds to wait after a busy answer without a Retry-After.
USUAL_WAIT = 1.0
#: Nonces that a frame carries at most.
NONCES = 12
_BUSY = (httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.TOO_MANY_REQUESTS, httpx.codes.REQUEST_TIMEOUT)

_PATH = "/api/v1/liveness/sessions"


@dataclass(frozen=True, slots=True)
class Request:
    """A request; `more` holds further arguments of `httpx.Client.request`."""

    method: str
    path: str
    more: dict[str, Any] = field(default_factory=dict)


class Options(TypedDict, total=False):
    """The options of a new session; the server chooses where one is missing or None. `/docs` of a server describes them."""

    challenges: int | None
    timeout_seconds: float | None
    mirrored: bool
    challenge_types: Sequence[str]
    exclude: Sequence[str]
    reveal: Literal["all", "next"] | None
    preset: Preset | None
    portrait: bool
    #: Whether each frame must carry the nonces of the latest answers, as the clients' `submit` does. `check` asks for it.
    sequence: Literal["off", "required"] | None
    #: A picture of the person who is expected, JPEG or PNG.
    reference: bytes | None
    #: Whether the answer holds a token for the person's browser or app (`Session.token`).
    token: bool
    #: An opaque name of yours for the person, by which failed attempts are counted; no e-mail address.
    subject: str | None
    #: A word of yours that the signed verdict repeats.
    nonce: str | None
    #: The organisation that asks for the check, which the service's own page names; with a key of the role `server`.
    relying_party: str | None
    #: A word of yours for this creation: sent again with it, the request creates no second session.
    idempotency_key: str | None


def creation(options: Options) -> Request:
    """The request that creates a session."""
    wanted: dict[str, str | int | float | None] = {
        "num_challenges": options.get("challenges"),
        "timeout_seconds": options.get("timeout_seconds"),
        "mirrored": "true" if options.get("mirrored") else None,
        "challenge_types": ",".join(options.get("challenge_types", ())) or None,
        "exclude": ",".join(options.get("exclude", ())) or None,
        "reveal": options.get("reveal"),
        "preset": options.get("preset"),
        "portrait": "true" if options.get("portrait") else None,
        "sequence": options.get("sequence"),
        "token": "true" if options.get("token") else None,
        "subject": options.get("subject"),
        "nonce": options.get("nonce"),
        "relying_party": options.get("relying_party"),
    }
    more: dict[str, Any] = {"params": {name: value for name, value in wanted.items() if value is not None}}
    reference = options.get("reference")
    if reference is not None:
        more["files"] = {"reference": ("reference.jpg", reference, "image/jpeg")}
    if (key := options.get("idempotency_key")) is not None:
        more["headers"] = {"Idempotency-Key": key}
    return Request("POST", _PATH, more)


def in_sequence(options: Options) -> Options:
    """The options of a session whose frames this client sends itself."""
    return {"sequence": "required", **options}


def submission(session_id: str, picture: bytes, nonces: Sequence[str] = ()) -> Request:
    """The request that submits a frame, with the nonces of the latest answers."""
    more: dict[str, Any] = {"files": {"image": ("frame.jpg", picture, "image/jpeg")}}
    if nonces:
        more["params"] = {"nonces": ",".join(nonces)}
    return Request("POST", f"{_PATH}/{session_id}/frame", more)


class Sequences:
    """The nonces of the latest answers of each session, newest first: the session's next frame carries them."""

    def __init__(self) -> None:
        self._nonces: dict[str, tuple[str, ...]] = {}

    def of(self, session_id: str) -> tuple[str, ...]:
        """The nonces for the next frame; empty where the session needs none."""
        return self._nonces.get(session_id, ())

    def take(self, session_id: str, body: Mapping[str, Any]) -> None:
        """Take the nonce of an answer; forget those of a session that has ended."""
        nonce = body.get("nonce")
        if body.get("state") in ENDED:
            self._nonces.pop(session_id, None)
        elif isinstance(nonce, str):
            self._nonces[session_id] = (nonce, *self.of(session_id))[:NONCES]

    def forget(self, session_id: str) -> None:
        """Forget a session."""
        self._nonces.pop(session_id, None)


def looking(session_id: str) -> Request:
    """The request that gets a session."""
    return Request("GET", f"{_PATH}/{session_id}")


def evidence(session_id: str) -> Request:
    """The request that gets the evidence of a session."""
    return Request("GET", f"{_PATH}/{session_id}/evidence")


def verdict(session_id: str, audience: str | None) -> Request:
    """The request that gets the signed verdict of a session."""
    return Request("GET", f"{_PATH}/{session_id}/verdict", {"params": {"audience": audience} if audience else {}})


def cancellation(session_id: str) -> Request:
    """The request that cancels a session."""
    return Request("DELETE", f"{_PATH}/{session_id}")


def headers(token: str | None) -> dict[str, str]:
    """The headers of every request; `token` is an API key or a session's token."""
    return {} if token is None else {"Authorization": f"Bearer {token}"}


def failure(url: str, error: Exception) -> ClientError:
    """The client's own error for what httpx raised."""
    if isinstance(error, httpx.InvalidURL):
        return Unreachable(f"{url} is not an address: {error}.")
    if isinstance(error, httpx.TimeoutException):
        return Unreachable(f"{url} gave no answer in time.")
    return Unreachable(f"No liveness server answers at {url}: {error}. Is it up (ops/up)?")


def body_of(url: str, response: httpx.Response) -> Mapping[str, Any]:
    """The JSON object of a successful answer; raises Busy, Refused or Unreachable for any other."""
    body = _json_object(response)
    if response.is_success and body is not None:
        return body
    detail = str((body or {}).get("detail") or (body or {}).get("title") or f"HTTP status {response.status_code}")
    if response.status_code in _BUSY:
        raise Busy(detail, _wait(response.headers.get("Retry-After")))
    if body is None:
        raise Unreachable(f"What answers at {url} is no liveness server ({detail}).")
    raise Refused(response.status_code, str(body.get("code", "")), detail)


def session_of(body: Mapping[str, Any]) -> Session:
    """The session in an answer; raises Unreachable if it is not as documented."""
    try:
        return Session(
            str(body["session_id"]),
            str(body["state"]),
            tuple(_challenge(c) for c in body["challenges"]),
            body.get("is_live"),
            body.get("token"),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _not_documented(error) from error


def verdict_of(body: Mapping[str, Any]) -> str:
    """The signed verdict in an answer; raises Unreachable if it is not as documented."""
    try:
        return str(body["verdict"])
    except KeyError as error:
        raise _not_documented(error) from error


def reply_of(body: Mapping[str, Any]) -> Reply:
    """The reply to a frame in an answer; raises Unreachable if it is not as documented."""
    hint, challenge, face = (body.get(name) for name in ("hint", "challenge", "face"))
    try:
        return Reply(
            challenge_type=body["challenge_type"],
            passed=bool(body["passed"]),
            confidence=float(body["confidence"]),
            challenges_remaining=int(body["challenges_remaining"]),
            session_complete=bool(body["session_complete"]),
            is_live=body["is_live"],
            state=str(body["state"]),
            hint=str(hint["text"]) if isinstance(hint, dict) and "text" in hint else None,
            hint_code=str(hint["code"]) if isinstance(hint, dict) and "code" in hint else None,
            challenge=None if challenge is None else _challenge(challenge),
            face=None if face is None else Framing(*(float(face[n]) for n in ("x", "y", "width", "height"))),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _not_documented(error) from error


def _challenge(body: Mapping[str, Any]) -> Challenge:
    return Challenge(str(body["type"]), str(body["instruction"]), float(body["timeout_seconds"]))


def _not_documented(error: Exception) -> Unreachable:
    return Unreachable(f"The server's answer is not the documented one: {error!r}.")


def _json_object(response: httpx.Response) -> Mapping[str, Any] | None:
    if "json" not in response.headers.get("Content-Type", ""):
        return None
    try:
        body = response.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _wait(retry_after: str | None) -> float:
    """The seconds of a Retry-After, which holds seconds or a date."""
    if not retry_after:
        return USUAL_WAIT
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return USUAL_WAIT
    if until.tzinfo is None:  # "-0000" means UTC, but is parsed as a time without a zone
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())
