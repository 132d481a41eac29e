"""Plays a source against the server: its pictures are sent, and the source gets the replies."""

from __future__ import annotations

from typing import Unpack

from liveness_client import Client, Listener, Options, Outcome, Reply, Session
from ops.lab.replay.sources import Source


class _Both:
    """A Listener that passes each reply to the source, too."""

    def __init__(self, listener: Listener, source: Source) -> None:
        self._listener, self._source = listener, source

    def opened(self, session: Session) -> None:
        """See Listener."""
        self._listener.opened(session)

    def replied(self, reply: Reply) -> None:
        """See Listener."""
        self._listener.replied(reply)
        self._source.hear(reply)

    def troubled(self, sentence: str) -> None:
        """See Listener."""
        self._listener.troubled(sentence)


def play(client: Client, source: Source, listener: Listener, *, fps: float, **options: Unpack[Options]) -> Outcome:
    """Play a source against the server until the session or the source has ended; options: as for `Client.open`."""
    return client.check(source.frame, _Both(listener, source), rate=fps, **options)
