"""The life of a check, without I/O: when the next frame is due, which troubles are outlived, and how it ended."""

from __future__ import annotations

from typing import Protocol

from liveness_client.errors import Busy, ClientError, Refused, Unreachable
from liveness_client.models import Outcome, Reply, Session

#: Frames a second.
USUAL_RATE = 8.0
#: Seconds that the network or the server may be away in the middle of a session.
GIVE_UP_AFTER = 20.0
#: Longest single wait after a 503, in seconds, whatever the server says: challenges run meanwhile.
LONGEST_WAIT = 5.0
#: Seconds between two tries when the server cannot be reached.
_TRY_AGAIN = 0.5


class Listener(Protocol):
    """Is told what happens."""

    def opened(self, session: Session) -> None:
        """The session was created."""

    def replied(self, reply: Reply) -> None:
        """A frame was answered."""

    def troubled(self, sentence: str) -> None:
        """A frame got no proper answer; the next one is tried."""


class Silent:
    """A Listener that does nothing."""

    def opened(self, session: Session) -> None:
        """See Listener."""

    def replied(self, reply: Reply) -> None:
        """See Listener."""

    def troubled(self, sentence: str) -> None:
        """See Listener."""


class Opening:
    """Creating a session at a server that may be full for a while."""

    def __init__(self, listener: Listener, now: float) -> None:
        self._listener, self._since = listener, now

    def pause(self, busy: Busy, now: float) -> float:
        """Seconds to wait before asking again; raises `busy` where that has been done for long enough."""
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
        #: How it ended; None while it goes on.
        self.outcome: Outcome | None = None

    def hear(self, reply: Reply, now: float) -> None:
        """Take in an answer."""
        self._answered_at, self._wait = now, 0.0
        self._listener.replied(reply)
        if reply.ended:
            self.outcome = Outcome(reply.state, reply.is_live)

    def suffer(self, error: ClientError, now: float) -> None:
        """Take in that a frame got no answer; raises `error` where it cannot be outlived."""
        self._wait = 0.0
        if isinstance(error, Refused):
            if error.status == 404:
                self.outcome = Outcome("unknown", None)
                return
            if error.status < 500:
                raise error
        elif now - self._answered_at > GIVE_UP_AFTER:
            raise error
        elif isinstance(error, Busy):
            self._wait = min(error.wait, LONGEST_WAIT)
        elif isinstance(error, Unreachable):
            self._wait = _TRY_AGAIN
        self._listener.troubled(str(error))

    def pause(self, now: float) -> float:
        """Seconds until the next frame is due: in real time; what took too long is not caught up with a burst."""
        self._due = max(self._due + self._interval, now + self._wait)
        return max(0.0, self._due - now)
