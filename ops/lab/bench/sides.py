"""The two sides of a benchmark: the whole service, and the one-process server that people write instead."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import click
import psutil

from ops.lab.bench.machine import TOP
from ops.lab.bench.peer import environment
from ops.lab.rig.client import answers
from ops.lab.rig.processes import Process, wait_for
from ops.lab.rig.stack import Backing, Stack
from ops.run.ports import free_port
from shared.handoff import worker_presence
from shared.redis.client import make_redis

#: The service's processes as the Procfile has them.
_PROGRAMS = ("web", "worker", "identity", "clock", "events")
#: Settings beside the stack's; everything else has its default.
_SETTINGS = {"SESSION_TTL": "600"}


class Side(Protocol):
    """A server under load."""

    @property
    def front(self) -> tuple[str, int]:
        """The address that clients connect to."""

    def kinds(self) -> Mapping[str, Sequence[psutil.Process]]:
        """The side's processes by kind."""


class Service(Stack):
    """The whole service as the Procfile starts it: one workers' program, whose processes share their models.

    It runs inside a `with` block. balanced: whether nginx stands before the web process.
    """

    def __init__(
        self,
        *,
        workers: int,
        kind: Backing = Backing.EMBEDDED,
        settings: Mapping[str, str] | None = None,
        balanced: bool = False,
    ) -> None:
        self.worker_processes = workers
        super().__init__(kind, webs=1, workers=1, balanced=balanced, settings=_SETTINGS | dict(settings or {}))

    def start_worker(self, *, queue: str = "frames", number: int = 0) -> Process:
        """Start the workers' program."""
        frames = queue == "frames"
        processes = str(self.worker_processes) if frames else "1"
        command = [sys.executable, "-m", "workers", "-p", processes, "-t", "1", "-Q", queue]
        return self._run("worker" if frames else queue, command, number=number)

    def kinds(self) -> dict[str, list[psutil.Process]]:
        """See Side."""
        programs = {name: self.programs_named(name) for name in _PROGRAMS}
        programs |= {server.name: [server.process] for server in self.servers}
        if self.balancer:
            programs["nginx"] = [self.balancer.process]
        return {name: [member for one in some for member in one.family()] for name, some in programs.items()}

    def wait_until_ready(self, seconds: float = 60.0, port: int | None = None) -> None:
        """Return when every worker has loaded its models; /readyz asks for one only."""
        super().wait_until_ready(seconds, port)
        with make_redis(self.redis.url) as client:
            booted = lambda: worker_presence.seen_lately(client) >= self.worker_processes  # noqa: E731
            wait_for(booted, seconds, "not every worker came up")


class Peer:
    """FastAPI with MediaPipe in its handler (peer/server.py), in an environment of its own; runs inside a `with` block."""

    def __init__(self, *options: str) -> None:
        """options: those of peer/server.py."""
        self._folder = tempfile.TemporaryDirectory(prefix="bench-")
        self.front = ("127.0.0.1", free_port())
        command = [str(environment.python()), str(TOP / "ops/lab/bench/peer/server.py"), str(self.front[1]), *options]
        self._process = Process("peer", command, log=Path(self._folder.name) / "peer.log")

    def __enter__(self) -> Self:
        self._process.start()
        try:
            wait_for(lambda: answers(self.front, "/livez"), 60, "the peer did not answer")
        except RuntimeError as error:
            log = self._process.log_end()
            self.__exit__(None, None, None)
            raise click.ClickException(f"{error}:\n{log}") from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._folder.cleanup()

    def kinds(self) -> dict[str, list[psutil.Process]]:
        """See Side."""
        return {"peer": self._process.family()}


def pin(cores: int) -> int:
    """Keep this process and its children on the first `cores` of the cores that it may use; returns how many these are."""
    if not hasattr(os, "sched_setaffinity"):  # not Linux
        return os.cpu_count() or 1
    allowed = sorted(os.sched_getaffinity(0))[:cores]
    os.sched_setaffinity(0, allowed)
    return len(allowed)


@dataclass(frozen=True, slots=True)
class Arrangement:
    """The cores of the service and those of the load, by their numbers."""

    name: str
    service: frozenset[int]
    load: frozenset[int]

    @contextmanager
    def started(self, service: Service) -> Iterator[Service]:
        """Start the service on its cores; inside the block, this thread and those it starts run on the load's cores."""
        before = os.sched_getaffinity(0)
        try:
            os.sched_setaffinity(0, self.service)
            with service:
                os.sched_setaffinity(0, self.load)
                yield service
        finally:
            os.sched_setaffinity(0, before)


def arrangements() -> list[Arrangement]:
    """Two arrangements: the load on the last core and the service on the others; then both on all cores."""
    if not hasattr(os, "sched_getaffinity"):  # not Linux
        return []
    cores = sorted(os.sched_getaffinity(0))
    shared = Arrangement("shared", frozenset(cores), frozenset(cores))
    apart = [Arrangement("apart", frozenset(cores[:-1]), frozenset(cores[-1:]))] if len(cores) > 1 else []
    return [*apart, shared]
