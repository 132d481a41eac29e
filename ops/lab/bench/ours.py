"""The service's vision on a directory of frames, timed: `python -m ops.lab.bench.ours DIRECTORY ENGINE`. Prints JSON."""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ops.lab.bench.frames import RATE
from ops.lab.bench.machine import TOP
from workers.vision import pipeline
from workers.vision.pipeline import Vision
from workers.vision.prior import Prior

#: Frames that warm the vision up and are not counted.
WARM = 5
#: The Unix time at which the first frame arrives.
BEGIN = 1_790_000_000.0
#: The stages of a frame: the name, the owner of the function that is timed, and that function's name.
STAGES: list[tuple[str, Callable[[Vision], Any], str]] = [
    ("decode", lambda _: pipeline, "decode"),
    ("points", lambda v: v._engine, "locate"),  # noqa: SLF001 # measured from outside, so that it costs nothing inside
    ("eyes", lambda v: v._eyes, "look"),  # noqa: SLF001
    ("search", lambda v: v, "_search"),
    ("pose", lambda _: pipeline, "fit_pose"),
    ("light", lambda _: pipeline, "measure_light"),
    ("moved", lambda _: pipeline, "compare"),
    ("stir", lambda _: pipeline, "stir"),
    ("patch", lambda _: pipeline, "take_patch"),
    ("rim", lambda _: pipeline, "_surround"),
    ("moire", lambda _: pipeline, "moire"),
]


def measured(vision: Vision, frames: list[bytes], *, follows: bool) -> dict[str, Any]:
    """(milliseconds, milliseconds of CPU, whether the whole picture was searched) of each frame, and how many had a face."""
    times: list[tuple[float, float, bool]] = []
    faces = 0
    prior: Prior | None = None
    for i, data in enumerate(frames[:WARM] + frames):
        at = BEGIN + i / RATE
        before = prior.searched_at if prior else None
        began, used = time.perf_counter(), time.process_time()
        observation, prior = vision.measure(data, prior if follows else None, at)
        took = 1e3 * (time.perf_counter() - began), 1e3 * (time.process_time() - used)
        if i >= WARM:
            times.append((*took, prior is None or before != prior.searched_at))
            faces += observation.face is not None
    return {"times": times, "faces": faces}


def by_stage(vision: Vision, frames: list[bytes]) -> dict[str, list[float]]:
    """Milliseconds of each stage over all frames: those in which it was passed."""
    spent: dict[str, list[float]] = defaultdict(list)
    kept = []
    for name, owner_of, attribute in STAGES:
        owner = owner_of(vision)
        if owner is not None:
            kept.append((owner, attribute, getattr(owner, attribute)))
            setattr(owner, attribute, _timed(getattr(owner, attribute), spent[name]))
    try:
        total = measured(vision, frames, follows=True)
    finally:
        for owner, attribute, was in kept:
            setattr(owner, attribute, was)
    spent["all"] = [took for took, _, _ in total["times"]]
    return dict(spent)


def _timed(function: Callable[..., Any], into: list[float]) -> Callable[..., Any]:
    def timed(*args: Any, **kwargs: Any) -> Any:
        began = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            into.append(1e3 * (time.perf_counter() - began))

    return timed


def memory() -> float:
    """Megabytes that this process had at most; its `ru_maxrss` would count its parent's before it began."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def main(directory: Path, engine: str) -> None:
    """Measure each kind of frame that there is."""
    began = time.perf_counter()
    vision = Vision.load(TOP / "var" / "models", engine)
    out: dict[str, Any] = {"load": 1e3 * (time.perf_counter() - began)}
    for kind in ("tracked", "first", "empty", "large"):
        frames = [file.read_bytes() for file in sorted((directory / kind).glob("*.jpg"))]
        if frames:
            out[kind] = measured(vision, frames, follows=kind != "first")
            if kind == "tracked":
                out["stages"] = by_stage(vision, frames)
    out["memory"] = memory()
    sys.stdout.write(json.dumps(out) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
