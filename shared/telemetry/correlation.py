"""One id for all that a request sets off: in its answer, in the messages that it sends, and in every line logged for it.

The id is bound to the thread's context (structlog's contextvars), by the API when a request begins and here when a worker
takes a message. A worker that sends a message on passes it on as well.
"""

from __future__ import annotations

from typing import Any

import structlog
from dramatiq import Broker, MessageProxy, Middleware

#: Its name in the context, in log lines, and among a message's options.
REQUEST_ID = "request_id"


def options() -> dict[str, str]:
    """The options of a message that is sent for the request at hand; none where there is no request."""
    request_id = structlog.contextvars.get_contextvars().get(REQUEST_ID)
    return {} if request_id is None else {REQUEST_ID: request_id}


class Correlation(Middleware):
    """Binds the id of the request that a message was sent for, for as long as the message is worked on."""

    def before_process_message(self, _broker: Broker, message: MessageProxy) -> None:
        """Bind it."""
        if (request_id := message.options.get(REQUEST_ID)) is not None:
            structlog.contextvars.bind_contextvars(request_id=request_id)

    def after_process_message(self, *_: Any, **_outcome: Any) -> None:
        """Unbind it: what this thread logs from now on belongs to no request."""
        structlog.contextvars.unbind_contextvars(REQUEST_ID)

    def after_skip_message(self, *_: Any) -> None:
        """The same for a message that was dropped."""
        structlog.contextvars.unbind_contextvars(REQUEST_ID)
