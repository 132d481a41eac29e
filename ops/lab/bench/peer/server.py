"""The server that people write instead: one FastAPI process, MediaPipe in its handler, sessions in a dictionary.

Run as `python server.py PORT [--search] [--threads]` by the Python of requirements/peer.txt. The API has the documented
paths, fields and states, so that one load generator serves both sides. The design is that of OpenBiometrics: a face mesh
for each session, an `async def` handler that decodes, measures and judges, and fixed thresholds for single frames (ratios of
eyes and mouth, pose by solvePnP).

Where such servers differ, this one does what is faster: the mesh follows the face from frame to frame. With --search the
face is searched in each frame, as in OpenBiometrics; with --threads a thread pool works on frames and uses several cores.
A frame of an ended session costs hardly anything, so a load must open new sessions.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import cv2
import mediapipe as mp
import numpy as np
import uvicorn
from fastapi import FastAPI, File, HTTPException, UploadFile

#: Seconds that a session lives.
TTL = 300.0
INSTRUCTIONS = {
    "TURN_LEFT": "Turn your head to the left",
    "TURN_RIGHT": "Turn your head to the right",
    "LOOK_UP": "Look upward",
    "LOOK_DOWN": "Look downward",
    "BLINK": "Blink your eyes",
    "SMILE": "Smile",
    "OPEN_MOUTH": "Open your mouth",
}
#: Vertices: corners and lids of each eye, the mouth's corners and inner lips, and six points for the pose.
_EYES = ((33, 133, 159, 145), (362, 263, 386, 374))
_MOUTH = (78, 308, 13, 14)
_POSED = (1, 152, 33, 263, 78, 308)
#: The six points of the pose on a mean face, in millimetres: x to the picture's right, y down, z away.
_FACE = np.array([(0, 0, 0), (0, 64, 13), (-43, -33, 26), (43, -33, 26), (-29, 29, 24), (29, 29, 24)], dtype=np.float64)


@dataclass
class Session:
    """A session in the memory of the one process."""

    challenges: list[str]
    timeout: float
    mesh: Any
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    created_at: float = field(default_factory=time.monotonic)
    state: str = "pending"
    passed: int = 0
    since: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def told(self) -> dict[str, Any]:
        """The answer to the session's creation."""
        challenges = [
            {"type": kind, "instruction": INSTRUCTIONS[kind], "timeout_seconds": self.timeout}
            for kind in self.challenges
        ]
        return {"session_id": self.id, "state": self.state, "challenges": challenges}

    def submit(self, picture: np.ndarray) -> dict[str, Any]:
        """Judge one frame."""
        with self.lock:
            now = time.monotonic()
            if self.state in ("completed", "failed"):
                return self._result(None, 0.0)
            if self.state == "pending":
                self.state, self.since = "in_progress", now
            kind = self.challenges[self.passed]
            if now - self.since > self.timeout:
                self.state = "failed"
                return self._result(kind, 0.0)
            confidence = judged(self.mesh, picture, kind)
            if confidence:
                self.passed, self.since = self.passed + 1, now
                if self.passed == len(self.challenges):
                    self.state = "completed"
            return self._result(kind, confidence)

    def _result(self, kind: str | None, confidence: float) -> dict[str, Any]:
        complete = self.state == "completed"
        return {
            "session_id": self.id,
            "challenge_type": kind,
            "passed": confidence > 0,
            "confidence": confidence,
            "challenges_remaining": len(self.challenges) - self.passed,
            "session_complete": complete,
            "is_live": True if complete else None,
            "state": self.state,
        }


def judged(mesh: Any, picture: np.ndarray, kind: str) -> float:
    """The confidence that a picture shows the challenge; 0 if it does not."""
    found = mesh.process(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
    if not found.multi_face_landmarks:
        return 0.0
    height, width = picture.shape[:2]
    points = np.array([(p.x * width, p.y * height) for p in found.multi_face_landmarks[0].landmark])
    yaw, pitch = pose(points, width, height)
    eyes = min(_ratio(points, eye) for eye in _EYES)
    mouth = _ratio(points, _MOUTH)
    span = float(np.linalg.norm(points[78] - points[308]) / np.linalg.norm(points[33] - points[263]))
    over: float = {
        "TURN_LEFT": (yaw - 15) / 30,
        "TURN_RIGHT": (-yaw - 15) / 30,
        "LOOK_UP": (pitch - 10) / 20,
        "LOOK_DOWN": (-pitch - 10) / 20,
        "BLINK": (0.2 - eyes) / 0.2,
        "SMILE": (span - 0.6) / 0.15,
        "OPEN_MOUTH": (mouth - 0.6) / 0.4,
    }[kind]
    return min(1.0, max(0.0, over))


def pose(points: np.ndarray, width: int, height: int) -> tuple[float, float]:
    """Yaw to the person's left and pitch upward, in degrees, by a perspective fit of six points."""
    camera = np.array([(width, 0, width / 2), (0, width, height / 2), (0, 0, 1)], dtype=np.float64)
    seen = points[list(_POSED)].astype(np.float64)
    fits, turn, _ = cv2.solvePnP(_FACE, seen, camera, np.zeros(4), flags=cv2.SOLVEPNP_ITERATIVE)
    if not fits:
        return 0.0, 0.0
    forward = -cv2.Rodrigues(turn)[0][:, 2]
    return float(np.degrees(np.arctan2(forward[0], -forward[2]))), float(np.degrees(np.arcsin(-forward[1])))


def _ratio(points: np.ndarray, of: tuple[int, int, int, int]) -> float:
    one, other, above, below = points[list(of)]
    return float(np.linalg.norm(above - below)) / max(1e-6, float(np.linalg.norm(one - other)))


class Sessions:
    """All sessions, in a dictionary."""

    def __init__(self, *, search: bool) -> None:
        self._search = search
        self._known: dict[str, Session] = {}

    def create(self, challenges: int, timeout: float) -> Session:
        """Create a session, and forget those that are too old."""
        now = time.monotonic()
        for old in [s for s in self._known.values() if now - s.created_at > TTL]:
            self.remove(old.id)
        drawn = [secrets.choice(list(INSTRUCTIONS)) for _ in range(challenges)]
        mesh = mp.solutions.face_mesh.FaceMesh(static_image_mode=self._search, max_num_faces=1, refine_landmarks=True)
        session = Session(drawn, timeout, mesh)
        self._known[session.id] = session
        return session

    def get(self, session_id: str) -> Session:
        """A session by its id. Raises HTTPException 404."""
        if session_id not in self._known:
            raise HTTPException(404, "Session not found or expired")
        return self._known[session_id]

    def remove(self, session_id: str) -> None:
        """Forget a session."""
        self.get(session_id)
        self._known.pop(session_id).mesh.close()


def make_app(*, search: bool, threads: bool) -> FastAPI:
    """The FastAPI app. search, threads: see the module."""
    app, sessions = FastAPI(), Sessions(search=search)

    @app.post("/api/v1/liveness/sessions")
    async def create(num_challenges: int = 3, timeout_seconds: float = 5.0) -> dict[str, Any]:
        return sessions.create(num_challenges, timeout_seconds).told()

    @app.post("/api/v1/liveness/sessions/{session_id}/frame")
    async def frame(session_id: str, image: UploadFile = File(...)) -> dict[str, Any]:  # noqa: B008 # FastAPI's way
        session, data = sessions.get(session_id), await image.read()
        return await asyncio.to_thread(worked, session, data) if threads else worked(session, data)

    @app.get("/api/v1/liveness/sessions/{session_id}")
    async def look(session_id: str) -> dict[str, Any]:
        return sessions.get(session_id).told()

    @app.delete("/api/v1/liveness/sessions/{session_id}")
    async def cancel(session_id: str) -> dict[str, Any]:
        sessions.remove(session_id)
        return {"cancelled": session_id}

    @app.get("/livez")
    async def livez() -> dict[str, str]:
        return {"status": "ok"}

    return app


def worked(session: Session, data: bytes) -> dict[str, Any]:
    """Decode and judge one frame."""
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise HTTPException(400, "Invalid image")
    return session.submit(picture)


def main() -> None:
    """Serve on a port until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--search", action="store_true", help="search the face in each frame")
    parser.add_argument("--threads", action="store_true", help="work on frames in a thread pool")
    given = parser.parse_args()
    app = make_app(search=given.search, threads=given.threads)
    uvicorn.run(app, host="127.0.0.1", port=given.port, log_level="warning")


if __name__ == "__main__":
    main()
