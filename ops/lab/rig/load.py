"""Clients: people before cameras who do what they are asked; and a note of every request and its answer."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

_PATH = "/api/v1/liveness/sessions"
_ENDED = frozenset({"completed", "failed", "expired"})
_BOUNDARY = "chaos-boundary-3f1c"
#: Seconds after which a client hangs up: longer than any answer may take, so that what takes too long is seen as such.
ANSWER_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Request:
    """One request, and what came of it."""

    what: str
    #: When it was sent, by the monotonic clock, and how many seconds its answer took.
    at: float
    took: float
    #: 0 where there was none.
    status: int
    #: The problem's code, or what broke.
    code: str = ""
    session_id: str = ""


@dataclass(slots=True)
class Seen:
    """What a client knows of its session."""

    session_id: str
    state: str = "pending"
    is_live: bool | None = None
    passes: int = 0
    frames: int = 0
    #: Whether the client walked away or cancelled it.
    left: bool = False
    cancelled: bool = False


class Frames(Protocol):
    """Where the pictures come from (`ops.lab.rig.clips.Clips`)."""

    rest: list[bytes]

    def take(self, kind: str, number: int) -> list[bytes]:
        """The frames of one take of a gesture."""


@dataclass
class Notes:
    """What all clients have seen."""

    requests: list[Request] = field(default_factory=list)
    sessions: dict[str, Seen] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, request: Request) -> None:
        """Note a request."""
        with self._lock:
            self.requests.append(request)

    def opened(self, seen: Seen) -> None:
        """Note a session."""
        with self._lock:
            self.sessions[seen.session_id] = seen


class Load:
    """So many clients, each with one session after the other, until it is told to stop."""

    def __init__(
        self,
        address: tuple[str, int],
        frames: Frames,
        *,
        clients: int,
        fps: float,
        challenges: Sequence[int] = (1, 2, 3),
        timeout_seconds: float = 4.0,
        leaving: float = 0.15,
        query: str = "",
        seed: int = 0,
    ) -> None:
        """leaving: the share of sessions that a client walks away from, or cancels."""
        self._address = address
        self._frames = frames
        self._fps, self._challenges, self._timeout, self._leaving = fps, challenges, timeout_seconds, leaving
        self._query = query
        self.notes = Notes()
        self._ending = threading.Event()
        self._hurry = threading.Event()
        self._threads = [
            threading.Thread(target=self._client, args=(random.Random(f"{seed}-{n}"),), daemon=True)  # noqa: S311
            for n in range(clients)
        ]

    def start(self) -> None:
        """Let them come."""
        for thread in self._threads:
            thread.start()

    def finish(self, within: float = 25.0) -> None:
        """No new sessions; those that run go on to their end, or are walked away from after so many seconds."""
        self._ending.set()
        until = time.monotonic() + within
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        self._hurry.set()
        for thread in self._threads:
            thread.join(ANSWER_TIMEOUT + 5)

    def _client(self, chance: random.Random) -> None:
        time.sleep(chance.random())
        speaker = _Speaker(self._address, self.notes)
        while not self._ending.is_set():
            self._session(speaker, chance)
        speaker.close()

    def _session(self, speaker: _Speaker, chance: random.Random) -> None:
        query = f"num_challenges={chance.choice(self._challenges)}&timeout_seconds={self._timeout}{self._query}"
        body = speaker.ask("create", "POST", f"{_PATH}?{query}")
        if body is None:
            time.sleep(0.5)
            return
        seen = Seen(body["session_id"])
        self.notes.opened(seen)
        leaves_after = chance.randrange(5, 25) if chance.random() < self._leaving else None
        due = time.monotonic()
        kind, take, at = None, chance.randrange(100), 0
        while seen.state not in _ENDED and not self._hurry.is_set():
            if leaves_after is not None and seen.frames >= leaves_after:
                self._leave(speaker, seen, chance)
                return
            frames = self._frames.rest if kind is None else self._frames.take(kind, take)
            answer = speaker.frame(seen.session_id, frames[at % len(frames)])
            at += 1
            seen.frames += 1
            if answer is not None:
                seen.state, seen.is_live = answer["state"], answer["is_live"]
                seen.passes += answer["passed"]
                asked = None if answer["passed"] else answer["challenge_type"]
                if asked != kind or at >= len(frames):
                    kind, take, at = asked, take + 1, 0
            elif speaker.unknown:
                return
            due = max(due + 1 / self._fps, time.monotonic() - 1.0)
            time.sleep(max(0.0, due - time.monotonic()))
        seen.left = seen.state not in _ENDED

    def _leave(self, speaker: _Speaker, seen: Seen, chance: random.Random) -> None:
        seen.left = True
        if chance.random() < 0.5:
            seen.cancelled = speaker.ask("cancel", "DELETE", f"{_PATH}/{seen.session_id}", seen.session_id) is not None


class _Speaker:
    """One client's connection."""

    def __init__(self, address: tuple[str, int], notes: Notes) -> None:
        self._address, self._notes = address, notes
        self._connection: http.client.HTTPConnection | None = None
        #: Whether the latest answer was 404.
        self.unknown = False

    def frame(self, session_id: str, jpeg: bytes) -> dict[str, Any] | None:
        """Send a frame; its answer where it was judged."""
        head = (
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="f.jpg"\r\n'
            "Content-Type: image/jpeg\r\n\r\n"
        )
        body = head.encode() + jpeg + f"\r\n--{_BOUNDARY}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
        return self.ask("frame", "POST", f"{_PATH}/{session_id}/frame", session_id, body=body, headers=headers)

    def ask(
        self,
        what: str,
        method: str,
        path: str,
        session_id: str = "",
        *,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> dict[str, Any] | None:
        """Make a request and note it; what was answered where that is a 200."""
        began = time.monotonic()
        status, code, answer = 0, "", None
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection(*self._address, timeout=ANSWER_TIMEOUT)
            self._connection.request(method, path, body, headers or {})
            response = self._connection.getresponse()
            data = response.read()
            status = response.status
            if "json" in response.headers.get("Content-Type", ""):
                answer = json.loads(data)
            if status != 200:
                code = (answer or {}).get("code", "not a problem document")
        except (OSError, http.client.HTTPException, ValueError) as error:
            code = type(error).__name__
            self.close()
        self.unknown = status == 404
        self._notes.add(Request(what, began, time.monotonic() - began, status, code, session_id))
        return answer if status == 200 else None

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
