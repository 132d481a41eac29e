"""MediaPipe's FaceMesh on a directory of frames, timed: `python mesh.py DIRECTORY`, by the peer's Python. Prints JSON."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import mediapipe as mp
import numpy as np

#: Frames that warm the mesh up and are not counted.
WARM = 5


def face_mesh(*, tracks: bool) -> Any:
    """The mesh with irises for one face, as such servers use it: it follows the face, or searches it in each frame."""
    return mp.solutions.face_mesh.FaceMesh(
        static_image_mode=not tracks, max_num_faces=1, refine_landmarks=True, min_detection_confidence=0.5
    )


def measured(mesh: Any, frames: list[bytes]) -> dict[str, Any]:
    """Measure frames: (milliseconds, milliseconds of CPU) of each, and the number of those with a face."""
    times, faces = [], 0
    for i, data in enumerate(frames[:WARM] + frames):
        began, used = time.perf_counter(), time.process_time()
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        found = mesh.process(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
        took = 1e3 * (time.perf_counter() - began), 1e3 * (time.process_time() - used)
        if i >= WARM:
            times.append(took)
            faces += bool(found.multi_face_landmarks)
    return {"times": times, "faces": faces}


def memory() -> float:
    """The peak of this process' memory, in megabytes; `ru_maxrss` would include its parent's before the exec."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def main(directory: Path) -> None:
    """Measure each kind of frame that there is."""
    out: dict[str, Any] = {}
    for kind in ("tracked", "first", "empty", "large"):
        frames = [file.read_bytes() for file in sorted((directory / kind).glob("*.jpg"))]
        if frames:
            with face_mesh(tracks=kind != "first") as mesh:
                out[kind] = measured(mesh, frames)
    out["memory"] = memory()
    sys.stdout.write(json.dumps(out) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
