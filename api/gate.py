"""The gate: refuses frames by an answer of Redis a moment ago, while the workers are behind.

A refusal costs the processor that judging needs, and under three times the load that the workers can carry two of three
frames are refused. A frame that meets a shut gate costs no look at keys, no row and no question to Redis.
"""

from __future__ import annotations

import time
from itertools import islice
from threading import Lock

import structlog

#: Seconds that a worker needs for a frame at the very least. The gate stays shut for as long as a worker needs for all the
#: frames that may be under way for it, so that no worker runs dry before it opens.
QUICKEST = 0.002
#: Seconds for which a session that must wait for its turn is refused; its client was told to come back after one.
ASK_AGAIN = 0.5
#: Waiting sessions that are remembered at most; the oldest are forgotten first.
MOST = 5000
#: Seconds between two warnings in the log.
WARN_AGAIN = 10.0

log = structlog.get_logger(__name__)


class Gate:
    """The gate of one process, shared by its threads."""

    def __init__(self, frames_per_worker: int) -> None:
        self._shut_for = QUICKEST * frames_per_worker
        self._until = self._warn_at = 0.0
        #: Sessions that wait for their turn, with the monotonic time until which they are refused.
        self._waiting: dict[str, float] = {}
        self._lock = Lock()

    @property
    def is_shut(self) -> bool:
        """Whether all frames are refused."""
        return time.monotonic() < self._until

    @property
    def is_open(self) -> bool:
        """Whether no frame is refused."""
        return not self._waiting and not self.is_shut

    def keeps_out(self, session_id: str) -> bool:
        """Whether a frame of this session is refused."""
        return self.is_shut or time.monotonic() < self._waiting.get(session_id, 0.0)

    def shut(self) -> None:
        """Refuse all frames for a moment: the workers are behind."""
        now = time.monotonic()
        self._until = now + self._shut_for
        self._warn(now)

    def send_away(self, session_id: str) -> None:
        """Refuse the frames of this session for a moment: the workers have enough to do with other sessions."""
        now = time.monotonic()
        with self._lock:
            self._waiting.pop(session_id, None)  # to stand at the end
            self._waiting[session_id] = now + ASK_AGAIN
            # Two are looked at for each one that is added: no call pays for dropping many.
            for waiting, until in list(islice(self._waiting.items(), 2)):
                if until <= now or len(self._waiting) > MOST:
                    del self._waiting[waiting]
        self._warn(now)

    def _warn(self, now: float) -> None:
        if now >= self._warn_at:
            self._warn_at = now + WARN_AGAIN
            log.warning("overloaded", reason="frames are refused: more come than the workers can judge")
