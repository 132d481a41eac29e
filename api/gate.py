"""While the workers are behind, frames are refused by what a process was told a moment ago, without asking again.

To refuse costs the processor that judging needs, and at three times what can be borne two of three frames are refused.
One that meets a shut gate costs no look at keys, no row and no question to Redis.
"""

from __future__ import annotations

import time

import structlog

#: Seconds that a frame takes a worker at the very least. The gate is shut for as long as that many frames keep it busy as
#: may be under way for each: when it opens, and they are fewer, no worker has run dry meanwhile.
QUICKEST = 0.002
#: Seconds from one line of the log that tells of it to the next.
TELL_AGAIN = 10.0

log = structlog.get_logger(__name__)


class Gate:
    """That of one process; for all of its threads."""

    def __init__(self, frames_per_worker: int) -> None:
        self._shut_for = QUICKEST * frames_per_worker
        self._until = self._tell_at = 0.0

    @property
    def is_shut(self) -> bool:
        """Whether a frame need not ask."""
        return time.monotonic() < self._until

    def shut(self) -> None:
        """The workers are behind: no other frame is to ask for a moment."""
        now = time.monotonic()
        self._until = now + self._shut_for
        if now >= self._tell_at:
            self._tell_at = now + TELL_AGAIN
            log.warning("overloaded", reason="frames are refused: more come than the workers can judge")
