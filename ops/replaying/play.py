"""A session from its creation to its end: frames sent in real time, waits kept, troubles outlived."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from ops.client import Busy, Client, Refused, Reply, Session, Unreachable
from ops.replaying.sources import Source

#: Seconds that the network or the server may be away in the middle of a session.
PATIENCE = 20.0
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


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended: the session's last known state, and the verdict where there is one."""

    state: str
    is_live: bool | None

    @property
    def live(self) -> bool:
        """Whether the server says: a live person."""
        return self.state == "completed" and self.is_live is True


def play(
    client: Client,
    source: Source,
    listener: Listener,
    *,
    fps: float,
    challenges: int | None = None,
    timeout_seconds: float | None = None,
    mirrored: bool = False,
) -> Outcome:
    """Play a source against the server until the session or the source has ended.

    Cancels the session when the source ends early or something is thrown (Ctrl-C among it).
    """
    first = source.frame(0.0)  # before a session is opened: a source that cannot be played costs the server nothing
    session = _open(client, listener, challenges, timeout_seconds, mirrored)
    listener.opened(session)
    ended = False
    try:
        outcome = _frames(client, source, listener, session, first, fps=fps)
        ended = outcome is not None
    finally:
        if not ended:
            _cancel(client, session)
    return outcome or Outcome("cancelled", None)


def _open(
    client: Client, listener: Listener, challenges: int | None, timeout_seconds: float | None, mirrored: bool
) -> Session:
    since = time.monotonic()
    while True:
        try:
            return client.open(challenges=challenges, timeout_seconds=timeout_seconds, mirrored=mirrored)
        except Busy as busy:
            if time.monotonic() - since > PATIENCE:
                raise
            listener.troubled(str(busy))
            time.sleep(min(busy.wait, LONGEST_WAIT))


def _frames(
    client: Client, source: Source, listener: Listener, session: Session, picture: bytes | None, *, fps: float
) -> Outcome | None:
    """Send frames until the session has ended; None when the source ends first."""
    began = answered_at = time.monotonic()
    due = began
    while picture is not None:
        wait = 0.0
        try:
            reply = client.submit(session.id, picture)
        except Refused as refused:
            if refused.status == 404:
                return Outcome("unknown", None)
            if refused.status < 500:
                raise
            trouble: str | None = str(refused)
        except (Busy, Unreachable) as error:
            if time.monotonic() - answered_at > PATIENCE:
                raise
            trouble = str(error)
            wait = min(error.wait, LONGEST_WAIT) if isinstance(error, Busy) else _TRY_AGAIN
        else:
            trouble, answered_at = None, time.monotonic()
            listener.replied(reply)
            source.hear(reply)
            if reply.ended:
                return Outcome(reply.state, reply.is_live)
        if trouble is not None:
            listener.troubled(trouble)
        # In real time: what took too long is not caught up with a burst.
        due = max(due + 1 / fps, time.monotonic() + wait)
        time.sleep(max(0.0, due - time.monotonic()))
        picture = source.frame(time.monotonic() - began)
    return None


def _cancel(client: Client, session: Session) -> None:
    with suppress(Busy, Refused, Unreachable):  # its time to live will end it
        client.cancel(session.id)
