"""The course of a check, without I/O: when the next frame is due, which errors end it, and how it ended."""

from __future__ import annotations

from typing import Protocol

from liveness_client.errors import Busy, ClientError, Refused, Unreachable
from liveness_client.models import Outcome, Reply, Session

#: Frames per second.
USUAL_RATE = 8.0
#: Seconds for which a server that is busy or away is tried again, before the check gives up.
GIVE_UP_AFTER = 20.0
#: Seconds of the longest single wait, whatever Retry-After says: the clock of a challenge runs meanwhile.
LONGEST_WAIT = 5.0
#: Seconds between two tries while the server cannot be reached.
_TRY_AGAIN = 0.5


class Listener(Protocol):
    """The methods that `check` calls as the session goes on."""

    def opened(self, session: Session) -> None:
        """Called once, when the session was created."""

    def replied(self, reply: Reply) -> None:
        """Called with the answer to each frame."""

    def troubled(self, sentence: str) -> None:
        """Called with a sentence when a call failed and is tried again, or its frame was dropped."""


class Silent:
    """The Listener that does nothing."""

    def opened(self, session: Session) -> None:
        """See Listener."""

    def replied(self, reply: Reply) -> None:
        """See Listener."""

    def troubled(self, sentence: str) -> None:
        """See Listener."""


class Opening:
    """The tries to create a session at a server that may be full for a while."""

    def __init__(self, listener: Listener, now: float) -> None:
        self._listener, self._since = listener, now

    def pause(self, busy: Busy, now: float) -> float:
        """Return the seconds to wait before the next try; raise `busy` after GIVE_UP_AFTER seconds of tries."""
        if now - self._since > GIVE_UP_AFTER:
            raise busy
        self._listener.troubled(str(busy))
        return min(busy.wait, LONGEST_WAIT)


class Life:
    """One session between its creation and its end."""

    def __init__(self, listener: Listener, rate: float, now: float) -> None:
        self._listener = listener
        self._interval = 1 / rate
        self._due = self._answered_at = now
        self._wait = 0.0
        #: How the session ended; None while it goes on.
        self.outcome: Outcome | None = None

    def hear(self, reply: Reply, now: float) -> None:
        """Take the answer to a frame into account."""
        self._answered_at, self._wait = now, 0.0
        self._listener.replied(reply)
        if reply.ended:
            self.outcome = Outcome(reply.state, reply.is_live)

    def suffer(self, error: ClientError, now: float) -> None:
        """Take a failed frame into account; raise `error` if the check cannot go on after it."""
        self._wait = 0.0
        if isinstance(error, Refused):
            if error.status == 404:
                self.outcome = Outcome("unknown", None)
                return
            # A frame whose answers were lost on the way; the next ones may follow again.
            lost = error.code == "out_of_sequence" and now - self._answered_at <= GIVE_UP_AFTER
            if error.status < 500 and not lost:
                raise error
        elif now - self._answered_at > GIVE_UP_AFTER:
            raise error
        elif isinstance(error, Busy):
            self._wait = min(error.wait, LONGEST_WAIT)
        elif isinstance(error, Unreachable):
            self._wait = _TRY_AGAIN
        self._listener.troubled(str(error))

    def pause(self, now: float) -> float:
        """Return the seconds until the next frame is due. Time lost is not made up for by a burst of frames."""
        self._due = max(self._due + self._interval, now + self._wait)
        return max(0.0, self._due - now)
