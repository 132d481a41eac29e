"""While the workers are behind, frames are refused by what a process was told a moment ago, without asking again.

To refuse costs the processor that judging needs, and at three times what can be borne two of three frames are refused.
One that meets a shut gate costs no look at keys, no row and no question to Redis.
"""

from __future__ import annotations

import time
from itertools import islice
from threading import Lock

import structlog

#: Seconds that a frame takes a worker at the very least. The gate is shut for as long as that many frames keep it busy as
#: may be under way for each: when it opens, and they are fewer, no worker has run dry meanwhile.
QUICKEST = 0.002
#: Seconds after which a session that must wait for its turn may ask again. It was told to come back in one.
ASK_AGAIN = 0.5
#: Sessions that are known to wait; those that were told so first are forgotten first.
MOST = 5000
#: Seconds from one line of the log that tells of it to the next.
WARN_AGAIN = 10.0

log = structlog.get_logger(__name__)


class Gate:
    """That of one process; for all of its threads."""

    def __init__(self, frames_per_worker: int) -> None:
        self._shut_for = QUICKEST * frames_per_worker
        self._until = self._warn_at = 0.0
        #: By session, until when it need not ask.
        self._waiting: dict[str, float] = {}
        self._lock = Lock()

    @property
    def is_shut(self) -> bool:
        """Whether no frame need ask."""
        return time.monotonic() < self._until

    @property
    def is_open(self) -> bool:
        """Whether any may."""
        return not self._waiting and not self.is_shut

    def keeps_out(self, session_id: str) -> bool:
        """Whether a frame of this session need not ask."""
        return self.is_shut or time.monotonic() < self._waiting.get(session_id, 0.0)

    def shut(self) -> None:
        """The workers are behind: no other frame is to ask for a moment."""
        now = time.monotonic()
        self._until = now + self._shut_for
        self._warn(now)

    def send_away(self, session_id: str) -> None:
        """The workers have enough to do with others: this session is to wait for its turn."""
        now = time.monotonic()
        with self._lock:
            self._waiting.pop(session_id, None)  # to stand at the end
            self._waiting[session_id] = now + ASK_AGAIN
            # Two for each that comes: nobody pays for the others' dropping.
            for waits, until in list(islice(self._waiting.items(), 2)):
                if until <= now or len(self._waiting) > MOST:
                    del self._waiting[waits]
        self._warn(now)

    def _warn(self, now: float) -> None:
        if now >= self._warn_at:
            self._warn_at = now + WARN_AGAIN
            log.warning("overloaded", reason="frames are refused: more come than the workers can judge")
