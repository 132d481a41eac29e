"""The client for programs without an event loop."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, Unpack

import httpx

from liveness_client import wire
from liveness_client.errors import Busy, ClientError, Refused, Unreachable
from liveness_client.life import USUAL_RATE, Life, Listener, Opening, Silent
from liveness_client.models import Outcome, Reply, Session


class Client:
    """A client of one server; not to be used from two threads at once.

    url: the server's address, without a path. token: an API key, or a session's token, sent as `Authorization: Bearer`.
    answer_within: seconds after which a call that has no answer raises `Unreachable`.

    Every call raises `Busy`, `Refused` or `Unreachable`.
    """

    def __init__(self, url: str, *, token: str | None = None, answer_within: float = wire.ANSWER_WITHIN) -> None:
        self.url = url.rstrip("/")
        self._sequences = wire.Sequences()
        self._http = httpx.Client(
            base_url=self.url, timeout=answer_within, follow_redirects=False, headers=wire.headers(token)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def open(self, **options: Unpack[wire.Options]) -> Session:
        """Create a session, with the options of `liveness_client.Options`."""
        return wire.session_of(self._ask(wire.creation(options)))

    def submit(self, session_id: str, picture: bytes) -> Reply:
        """Send a frame, JPEG or PNG, and return the server's answer to it."""
        body = self._ask(wire.submission(session_id, picture, self._sequences.of(session_id)))
        self._sequences.take(session_id, body)
        return wire.reply_of(body)

    def look(self, session_id: str) -> Session:
        """Get the session as it is now."""
        return wire.session_of(self._ask(wire.looking(session_id)))

    def evidence(self, session_id: str) -> Mapping[str, Any]:
        """Get the evidence of a session as the server's JSON object (docs/evidence.md); needs a key of the role `server`."""
        return self._ask(wire.evidence(session_id))

    def verdict(self, session_id: str, *, audience: str | None = None) -> str:
        """Get the signed verdict of a completed session, for `verify_verdict`; needs a key of the role `server`."""
        return wire.verdict_of(self._ask(wire.verdict(session_id, audience)))

    def cancel(self, session_id: str) -> None:
        """Cancel a session. A session that the server does not know is no error."""
        self._sequences.forget(session_id)
        try:
            self._ask(wire.cancellation(session_id))
        except Refused as refused:
            if refused.status != httpx.codes.NOT_FOUND:
                raise

    def check(
        self,
        frame: Callable[[float], bytes | None],
        listener: Listener | None = None,
        *,
        rate: float = USUAL_RATE,
        **options: Unpack[wire.Options],
    ) -> Outcome:
        """Run a whole session in real time, from its creation to its end, and return how it ended.

        frame: called with the seconds since the beginning; returns a JPEG or PNG, or None when there are no more frames.
        listener: told of the session, of each reply and of each trouble. rate: frames per second. options: as for `open`.

        A server that is busy or away is tried again for `life.GIVE_UP_AFTER` seconds. The session is cancelled when the
        frames end before it, and when an exception ends the check (Ctrl-C, too).
        """
        listener = listener or Silent()
        picture = frame(0.0)  # before the session: a camera that fails here costs the server nothing
        session = self._opened(listener, wire.in_sequence(options))
        listener.opened(session)
        began = time.monotonic()
        life = Life(listener, rate, began)
        try:
            while picture is not None and life.outcome is None:
                self._try(session, picture, life)
                if life.outcome is None:
                    time.sleep(life.pause(time.monotonic()))
                    picture = frame(time.monotonic() - began)
        finally:
            if life.outcome is None:
                with suppress(Busy, Refused, Unreachable):  # it expires by itself
                    self.cancel(session.id)
        return life.outcome or Outcome("cancelled", None)

    def _opened(self, listener: Listener, options: wire.Options) -> Session:
        opening = Opening(listener, time.monotonic())
        while True:
            try:
                return self.open(**options)
            except Busy as busy:
                time.sleep(opening.pause(busy, time.monotonic()))

    def _try(self, session: Session, picture: bytes, life: Life) -> None:
        try:
            reply = self.submit(session.id, picture)
        except ClientError as error:
            life.suffer(error, time.monotonic())
        else:
            life.hear(reply, time.monotonic())

    def _ask(self, request: wire.Request) -> Mapping[str, Any]:
        try:
            response = self._http.request(request.method, request.path, **request.more)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise wire.failure(self.url, error) from error
        return wire.body_of(self.url, response)
