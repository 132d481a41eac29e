"""A server that answers as the API is documented, from a script, for the tests of clients."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import cv2
import flask
import numpy as np
import pytest
from werkzeug.serving import make_server

SESSION = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
PATH = "/api/v1/liveness/sessions"
INSTRUCTIONS = {"TURN_LEFT": "Turn your head to the left", "BLINK": "Blink your eyes"}


def reply(challenge: str | None = "TURN_LEFT", **what: Any) -> dict[str, Any]:
    """An answer to a frame as documented; the hint is additive."""
    usual = {
        "session_id": SESSION,
        "challenge_type": challenge,
        "passed": False,
        "confidence": 0.1,
        "challenges_remaining": 2,
        "session_complete": False,
        "is_live": None,
        "state": "in_progress",
        "hint": {"code": "turn", "text": "A little further to your left."},
    }
    return usual | what


def passed(challenge: str, remaining: int) -> dict[str, Any]:
    return reply(challenge, passed=True, confidence=0.92, challenges_remaining=remaining)


def completed(live: bool) -> dict[str, Any]:
    return passed("BLINK", 0) | {"session_complete": True, "is_live": live, "state": "completed"}


def problem(status: int, code: str, detail: str, **headers: str) -> flask.Response:
    body = {"type": f"urn:problem:{code}", "title": code, "status": status, "code": code, "detail": detail}
    response = flask.jsonify(body)
    response.status_code, response.mimetype = status, "application/problem+json"
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return response


@dataclass
class Server:
    """A real HTTP server that speaks the documented API and answers frames from a script; its last line repeats."""

    url: str = ""
    script: list[Any] = field(default_factory=lambda: [reply()])
    #: Answers to POST /sessions that come before the session is created.
    refusals: list[Any] = field(default_factory=list)
    created: list[dict[str, str]] = field(default_factory=list)
    frames: list[bytes] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    #: The parameter `nonces` of each frame.
    nonces: list[str] = field(default_factory=list)
    #: The Authorization header of each call.
    authorised: list[str | None] = field(default_factory=list)

    def create(self) -> Any:
        key = flask.request.headers.get("Idempotency-Key")
        self.created.append(flask.request.args.to_dict() | ({"idempotency": key} if key else {}))
        self.authorised.append(flask.request.headers.get("Authorization"))
        if self.refusals:
            return self.refusals.pop(0)()
        challenges = [{"type": t, "instruction": i, "timeout_seconds": 5.0} for t, i in INSTRUCTIONS.items()]
        token = {"token": "a.token"} if flask.request.args.get("token") == "true" else {}
        return {"session_id": SESSION, "state": "pending", "challenges": challenges, **token}

    def frame(self, session: str) -> Any:
        assert session == SESSION
        self.frames.append(flask.request.files["image"].read())
        self.nonces.append(flask.request.args.get("nonces", ""))
        line = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        return line() if callable(line) else line

    def look(self, session: str) -> Any:
        if session != SESSION:
            return problem(404, "session_not_found", "There is no such session.")
        return {"session_id": session, "state": "completed", "challenges": [], "is_live": True}

    def evidence(self, session: str) -> Any:
        return {"session_id": session, "findings": []}

    def verdict(self, session: str) -> Any:
        return {"verdict": f"verdict for {flask.request.args.get('audience', 'nobody')}", "expires_at": 1}

    def cancel(self, session: str) -> Any:
        if session != SESSION:
            return problem(404, "unknown_session", "There is no such session.")
        self.cancelled.append(session)
        return {"cancelled": session}


def app_of(spoken: Server) -> flask.Flask:
    """The server as an app, to which more can be added."""
    app = flask.Flask(__name__)
    app.post(PATH)(spoken.create)
    app.post(f"{PATH}/<session>/frame")(spoken.frame)
    app.get(f"{PATH}/<session>")(spoken.look)
    app.get(f"{PATH}/<session>/evidence")(spoken.evidence)
    app.get(f"{PATH}/<session>/verdict")(spoken.verdict)
    app.delete(f"{PATH}/<session>")(spoken.cancel)
    app.get("/elsewhere")(lambda: "a page")
    return app


@contextmanager
def serving(app: flask.Flask) -> Iterator[str]:
    """Serve an app; its address."""
    http = make_server("127.0.0.1", 0, app, threaded=True)
    # It looks for `shutdown` so often, in seconds; by itself, twice a second.
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{http.server_port}"
    http.shutdown()
    thread.join()
    http.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    spoken = Server()
    with serving(app_of(spoken)) as spoken.url:
        yield spoken


@pytest.fixture
def video(tmp_path):
    """Half a second of grey, each frame lighter than the one before."""
    path = tmp_path / "grey.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 20, (160, 120))
    for level in range(40, 240, 20):
        writer.write(np.full((120, 160, 3), level, np.uint8))
    writer.release()
    return path
