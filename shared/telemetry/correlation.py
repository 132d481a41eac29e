"""Correlation: one request id in a request's answer, in its messages to workers, and in every line logged for it.

The id is bound to the thread's context (structlog's contextvars) by the API when a request begins, and by the middleware
`Correlation` when a worker takes a message. Messages that a worker sends carry it on.
"""

from __future__ import annotations

from typing import Any

import structlog
from dramatiq import Broker, MessageProxy, Middleware

#: Name of the request id in the context, in log lines, and among a message's options.
REQUEST_ID = "request_id"


def options() -> dict[str, str]:
    """The options for a message that is sent for the current request; empty without a request."""
    request_id = structlog.contextvars.get_contextvars().get(REQUEST_ID)
    return {} if request_id is None else {REQUEST_ID: request_id}


class Correlation(Middleware):
    """Middleware that binds the request id of a message while the message is processed."""

    def before_process_message(self, _broker: Broker, message: MessageProxy) -> None:
        """Bind the request id of the message, if it has one."""
        if (request_id := message.options.get(REQUEST_ID)) is not None:
            structlog.contextvars.bind_contextvars(request_id=request_id)

    def after_process_message(self, *_: Any, **_outcome: Any) -> None:
        """Unbind the request id: what this thread logs next belongs to no request."""
        structlog.contextvars.unbind_contextvars(REQUEST_ID)

    def after_skip_message(self, *_: Any) -> None:
        """Unbind the request id of a message that was skipped."""
        structlog.contextvars.unbind_contextvars(REQUEST_ID)
