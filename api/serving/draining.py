"""gunicorn's threaded worker, which loses nobody when it stops.

The system takes connections for a listening socket before the process does. gunicorn stops taking them when it is told to
stop, and closes the socket when the last request has been answered: whoever was taken by the system in between is told
"connection reset", with a request that may not be sent again. Here all that have come are taken, and then the socket is
closed at once, so that the next ones are refused and a balancer tries elsewhere.
"""

from __future__ import annotations

import select
from typing import Any

from gunicorn.workers.gthread import ThreadWorker


class DrainingWorker(ThreadWorker):
    """See above."""

    sockets: list[Any]
    alive: bool

    def set_accept_enabled(self, enabled: bool) -> None:
        """Take connections from now on, or no more; called with False and `alive` False when the worker stops."""
        super().set_accept_enabled(enabled)
        if enabled or self.alive:
            return
        for listener in self.sockets:
            while select.select([listener], [], [], 0)[0]:
                self.accept(listener)
            listener.close()
