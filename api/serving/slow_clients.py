"""Limits on clients that send their requests slowly; `api.serving.worker` refuses the clients that exceed them."""

from __future__ import annotations

#: Seconds that any request may take to arrive, and bytes per second from which on a larger one may take longer: 14 s for a
#: picture of 60 KB.
REQUEST_WITHIN, SLOWEST = 10.0, 16 * 1024
#: Bytes of requests without a thread that a process holds at most.
MOST_BUFFERED = 64 * 2**20


def due(began: float, received: int) -> float:
    """The time by which a request must be whole, in monotonic seconds; `received` bytes of it have come since `began`."""
    return began + REQUEST_WITHIN + received / SLOWEST
