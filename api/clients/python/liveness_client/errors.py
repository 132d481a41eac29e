"""The errors of the client."""

from __future__ import annotations


class ClientError(Exception):
    """A call that did not succeed; the text is a sentence for the person who runs the program."""


class Unreachable(ClientError):
    """There is no answer, or none that a liveness server gives."""


class Busy(ClientError):
    """The server asks the client to come again in `wait` seconds: status 503, 429 or 408."""

    def __init__(self, detail: str, wait: float) -> None:
        super().__init__(detail)
        self.wait = wait


class Refused(ClientError):
    """The server refuses the request: `status` is the HTTP status, `code` the problem's stable code (`PROBLEMS`)."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code


class InvalidWebhook(ClientError):
    """A call that no webhook of the service has made: `reason` is header_missing, malformed, bad_signature or other_time."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class InvalidVerdict(ClientError):
    """A text that is no valid verdict for this caller.

    `reason` is malformed, unknown_key, revoked_key, bad_signature, expired, other_issuer, other_audience, other_session or
    other_nonce; the first six are those of `POST …/verdicts/check`.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
