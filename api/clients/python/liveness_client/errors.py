"""What can keep a session from going on."""

from __future__ import annotations


class ClientError(Exception):
    """Something that keeps a session from going on; its text is a sentence for the person who runs the program."""


class Unreachable(ClientError):
    """No answer, or none that a liveness server gives."""


class Busy(ClientError):
    """The server asks to come again in `wait` seconds: 503 with Retry-After, 429, or 408."""

    def __init__(self, detail: str, wait: float) -> None:
        super().__init__(detail)
        self.wait = wait


class Refused(ClientError):
    """The server says what is wrong with the request: `status` and its stable `code`."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
