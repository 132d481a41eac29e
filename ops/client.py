"""A client of the documented API: one session's life over HTTP, in the order a front end would go through it.

    with Client("http://localhost:8000") as client:
        session = client.open(challenges=3)
        reply = client.submit(session.id, jpeg)

The last line is repeated, 5 to 10 times a second, until `reply.ended`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self

import httpx

#: Seconds to wait for an answer; longer than a server waits for its workers, so that its 503 arrives.
ANSWER_WITHIN = 15.0
#: Seconds to wait after a 503 that does not say how long.
USUAL_WAIT = 1.0
ENDED = frozenset({"completed", "failed", "expired"})
_PATH = "/api/v1/liveness/sessions"


class ClientError(Exception):
    """Something that keeps a session from going on; its text is a sentence for the person who runs the program."""


class Unreachable(ClientError):
    """No answer, or none that a liveness server gives."""


class Busy(ClientError):
    """The server asks to come again in `wait` seconds: 503 with Retry-After, or 429."""

    def __init__(self, detail: str, wait: float) -> None:
        super().__init__(detail)
        self.wait = wait


class Refused(ClientError):
    """The server says what is wrong with the request: `status` and its stable `code`."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the person is asked to do."""

    type: str
    instruction: str
    timeout_seconds: float


@dataclass(frozen=True, slots=True)
class Session:
    """A session as the server tells it at its creation and to a GET."""

    id: str
    state: str
    challenges: tuple[Challenge, ...]

    def instruction(self, challenge_type: str | None) -> str | None:
        """The sentence for a challenge of this session."""
        return next((c.instruction for c in self.challenges if c.type == challenge_type), None)


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a frame."""

    challenge_type: str | None
    passed: bool
    confidence: float
    challenges_remaining: int
    session_complete: bool
    is_live: bool | None
    state: str
    #: A word of help; servers that give none leave it out.
    hint: str | None = None

    @property
    def ended(self) -> bool:
        """Whether no further frame can change anything."""
        return self.state in ENDED


class Client:
    """Speaks to one server; not to be used from two threads at once."""

    def __init__(self, url: str, *, answer_within: float = ANSWER_WITHIN) -> None:
        self.url = url.rstrip("/")
        self._http = httpx.Client(base_url=self.url, timeout=answer_within, follow_redirects=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def open(
        self, *, challenges: int | None = None, timeout_seconds: float | None = None, mirrored: bool = False
    ) -> Session:
        """Create a session; what is None is left to the server."""
        wanted: dict[str, str | int | float] = {}
        if challenges is not None:
            wanted["num_challenges"] = challenges
        if timeout_seconds is not None:
            wanted["timeout_seconds"] = timeout_seconds
        if mirrored:
            wanted["mirrored"] = "true"
        return _session(self._ask("POST", _PATH, params=wanted))

    def submit(self, session_id: str, picture: bytes) -> Reply:
        """Send a frame, JPEG or PNG, and wait for what the server says about it."""
        body = self._ask("POST", f"{_PATH}/{session_id}/frame", files={"image": ("frame.jpg", picture, "image/jpeg")})
        return _reply(body)

    def look(self, session_id: str) -> Session:
        """The session as it is now."""
        return _session(self._ask("GET", f"{_PATH}/{session_id}"))

    def cancel(self, session_id: str) -> None:
        """Cancel a session; one that is gone already is no error."""
        try:
            self._ask("DELETE", f"{_PATH}/{session_id}")
        except Refused as refused:
            if refused.status != httpx.codes.NOT_FOUND:
                raise

    def _ask(self, method: str, path: str, **request: Any) -> Mapping[str, Any]:
        try:
            response = self._http.request(method, path, **request)
        except httpx.InvalidURL as error:
            raise Unreachable(f"{self.url} is not an address: {error}.") from error
        except httpx.TimeoutException as error:
            raise Unreachable(f"{self.url} gave no answer in time.") from error
        except (httpx.HTTPError, UnicodeError) as error:
            raise Unreachable(f"No liveness server answers at {self.url}: {error}. Is it up (ops/up)?") from error
        body = _json_object(response)
        if response.is_success and body is not None:
            return body
        detail = str((body or {}).get("detail") or (body or {}).get("title") or f"HTTP status {response.status_code}")
        if response.status_code in (httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.TOO_MANY_REQUESTS):
            raise Busy(detail, _wait(response.headers.get("Retry-After")))
        if body is None:
            raise Unreachable(f"What answers at {self.url} is no liveness server ({detail}).")
        raise Refused(response.status_code, str(body.get("code", "")), detail)


def _json_object(response: httpx.Response) -> Mapping[str, Any] | None:
    if "json" not in response.headers.get("Content-Type", ""):
        return None
    try:
        body = response.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _wait(retry_after: str | None) -> float:
    """Seconds, from a Retry-After of either form."""
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
    if until.tzinfo is None:  # "-0000" means UTC too, but is parsed as a time without a zone
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def _session(body: Mapping[str, Any]) -> Session:
    try:
        challenges = tuple(
            Challenge(str(c["type"]), str(c["instruction"]), float(c["timeout_seconds"])) for c in body["challenges"]
        )
        return Session(str(body["session_id"]), str(body["state"]), challenges)
    except (KeyError, TypeError, ValueError) as error:
        raise Unreachable(f"The server's answer is not the documented one: {error!r}.") from error


def _reply(body: Mapping[str, Any]) -> Reply:
    hint = body.get("hint")
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
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Unreachable(f"The server's answer is not the documented one: {error!r}.") from error
