"""Several hosts: throughput by the number of worker hosts, and a worker host that is cut off and returns."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import quantiles

from ops.lab.chaos import checks
from ops.lab.chaos.checks import ONLY_ANSWERS
from ops.lab.rig.load import Frames, Load
from ops.lab.rig.places import Hosts
from ops.lab.rig.stack import Backing, Stack

#: Seconds of load before a measurement counts.
_WARM = 3.0
#: Clients for each worker host: every worker has a frame in hand, and another one waits.
_CLIENTS_A_HOST = 4
#: Seconds for which a host is cut off: longer than a frame's deadline, and than it takes to notice a dead worker.
CUT_OFF = 15.0


@dataclass(frozen=True, slots=True)
class Throughput:
    """The throughput of a number of worker hosts."""

    hosts: int
    frames_a_second: float
    p50: float
    p99: float
    refused: int
    #: Milliseconds of CPU of the workers for each judged frame.
    worker_cpu: float


def throughput(frames: Frames, *, most: int, worker_cpu: float, seconds: float) -> Iterator[Throughput]:
    """Measure 1, 2 … `most` worker hosts. worker_cpu: the share of a processor that each may use."""
    with (
        Hosts(most, worker_cpu=worker_cpu) as hosts,
        Stack(Backing.FULL, workers=1, identity=False, places=hosts, settings={"SESSION_TTL": "300"}) as stack,
    ):
        for count in range(1, most + 1):
            if count > 1:
                stack.start_worker(number=count - 1)
                time.sleep(8.0)
            yield _measure(stack, frames, count, seconds)


def _measure(stack: Stack, frames: Frames, count: int, seconds: float) -> Throughput:
    load = Load(
        stack.front,
        frames,
        clients=_CLIENTS_A_HOST * count,
        fps=1000.0,  # each client sends its next frame when the last is answered
        timeout_seconds=60.0,
        challenges=(5,),
        leaving=0.0,
    )
    load.start()
    time.sleep(_WARM)
    began, cpu = time.monotonic(), _cpu(stack)
    time.sleep(seconds)
    ended, used = time.monotonic(), _cpu(stack) - cpu
    load.finish(within=0.0)
    within = [r for r in load.notes.requests if r.what == "frame" and began <= r.at + r.took <= ended]
    judged = [r.took for r in within if r.status == 200]
    cuts = quantiles(judged, n=100)
    return Throughput(
        hosts=count,
        frames_a_second=len(judged) / (ended - began),
        p50=cuts[49],
        p99=cuts[98],
        refused=len(within) - len(judged),
        worker_cpu=1000 * used / len(judged),
    )


def _cpu(stack: Stack) -> float:
    times = [p.cpu_times() for program in stack.programs_named("worker") for p in program.family()]
    return sum(t.user + t.system for t in times)


def cut_off(frames: Frames, *, clients: int, fps: float) -> tuple[list[str], Load]:
    """Cut one of three worker hosts off under load, and connect it again; returns the violations and the load."""
    with Hosts(3, worker_cpu=0.3) as hosts, Stack(Backing.FULL, workers=3, identity=False, places=hosts) as stack:
        load = Load(stack.front, frames, clients=clients, fps=fps)
        load.start()
        time.sleep(5.0)
        hosts.cut("worker1")
        time.sleep(CUT_OFF)
        hosts.mend("worker1")
        time.sleep(10.0)
        load.finish()
        wrong = list(checks.answered(load.notes.requests, stack.deadline, ONLY_ANSWERS))
        wrong += checks.sessions_kept(stack, load.notes)
        wrong += checks.events_kept(stack.engine, load.notes)
        before = sum(p.cpu_times().user for p in stack.programs_named("worker")[1].family())
        again = Load(stack.front, frames, clients=clients, fps=fps, seed=1)
        again.start()
        time.sleep(6.0)
        again.finish(within=0.0)
        if sum(p.cpu_times().user for p in stack.programs_named("worker")[1].family()) - before < 0.2:
            wrong.append("the worker host that came back works on nothing")
    return wrong, load
