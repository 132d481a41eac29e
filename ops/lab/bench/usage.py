"""The CPU and memory of processes, by kind."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import psutil

#: Returns the present processes of each kind.
Kinds = Callable[[], Mapping[str, Sequence[psutil.Process]]]


@dataclass(frozen=True, slots=True)
class Reading:
    """Seconds of CPU that each kind has used, at a moment of the monotonic clock."""

    at: float
    cpu: Mapping[str, float]


def read(kinds: Kinds) -> Reading:
    """Read the CPU of all processes."""
    spent = {kind: sum(_cpu(process) for process in processes) for kind, processes in kinds().items()}
    return Reading(time.monotonic(), spent)


def between(before: Reading, after: Reading, frames: int) -> dict[str, float]:
    """Milliseconds of CPU a frame, by kind. frames: their number between the readings."""
    if not frames:
        return {}
    return {kind: 1e3 * (spent - before.cpu.get(kind, 0.0)) / frames for kind, spent in after.cpu.items()}


def memory(kinds: Kinds) -> dict[str, float]:
    """Megabytes by kind, with shared memory divided among the processes (PSS, on Linux)."""
    return {kind: sum(pss(process) for process in processes) for kind, processes in kinds().items()}


def pss(process: psutil.Process) -> float:
    """Megabytes of one process, with its part of the shared memory (PSS)."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return float(process.memory_full_info().pss) / 2**20
    return 0.0


def _cpu(process: psutil.Process) -> float:
    with contextlib.suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return times.user + times.system
    return 0.0
