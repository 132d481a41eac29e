"""Measures an engine's milliseconds a frame and memory, in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import resource
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ops.lab.evaluate.manifest import Manifest
from ops.lab.evaluate.player import BEGIN
from ops.lab.evaluate.video import shots
from workers.vision.pipeline import Vision
from workers.vision.prior import Prior

#: The number of frames that are timed, and of those before that are not.
FRAMES, WARM_UP = 160, 10

#: The licence of an engine's models.
LICENCES = {
    "mesh": "Apache-2.0 (MediaPipe's mesh, iris and BlazeFace models); commercial use is allowed",
    "dlib": "Boost (the code); the 68-point model was trained on iBUG 300-W, whose licence excludes commercial use",
}


@dataclass(frozen=True, slots=True)
class Footprint:
    """One engine on this machine, decoding included."""

    engine: str
    median_ms: float
    slowest_ms: float
    #: Memory of a worker's vision: Python, OpenCV and the models.
    megabytes: float
    licence: str


def footprint(manifest: Manifest, models: Path, engine: str, fps: float) -> Footprint:
    """Measure an engine."""
    clips: list[list[bytes]] = []
    for person in manifest.people:
        clips.append([shot.data for shot in shots(person.segments[0], fps)])
        if sum(map(len, clips)) >= FRAMES + WARM_UP:
            break
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context) as pool:
        milliseconds, megabytes = pool.submit(_measure, models, engine, clips, fps).result()
    ordered = sorted(milliseconds)
    return Footprint(
        engine,
        round(statistics.median(ordered), 2),
        round(ordered[int(0.95 * (len(ordered) - 1))], 2),
        round(megabytes),
        LICENCES[engine],
    )


def _measure(models: Path, engine: str, clips: list[list[bytes]], fps: float) -> tuple[list[float], float]:
    vision = Vision.load(models, engine)
    milliseconds = []
    for clip in clips:
        prior: Prior | None = None
        for i, data in enumerate(clip):
            # CPU time, so that other work on the machine does not count.
            began = time.thread_time()
            _, prior = vision.measure(data, prior, BEGIN + i / fps)
            milliseconds.append(1e3 * (time.thread_time() - began))
    return milliseconds[WARM_UP:] or milliseconds, _resident()


def _resident() -> float:
    """Megabytes of memory that this process holds now; at most held, where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most / 1e6 if sys.platform == "darwin" else most / 1e3
