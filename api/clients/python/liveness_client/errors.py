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
