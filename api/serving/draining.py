"""A threaded gunicorn worker that resets no connection when it stops.

The system accepts connections for a listening socket before the process does. A stopping gunicorn accepts no more of them,
and closes the socket only after its last answer: connections that the system accepted in between are reset, with requests
that a client may not send twice. This worker accepts all that wait and then closes the socket at once: later connections
are refused, and a balancer tries another server.
"""

from __future__ import annotations

import select
from typing import Any

from gunicorn.workers.gthread import ThreadWorker


class DrainingWorker(ThreadWorker):
    """The threaded worker that accepts the waiting connections before it closes its socket."""

    sockets: list[Any]
    alive: bool

    def set_accept_enabled(self, enabled: bool) -> None:
        """Start or stop accepting connections. gunicorn calls this with False, and `alive` False, when the worker stops."""
        super().set_accept_enabled(enabled)
        if enabled or self.alive:
            return
        for listener in self.sockets:
            while select.select([listener], [], [], 0)[0]:
                self.accept(listener)
            listener.close()
