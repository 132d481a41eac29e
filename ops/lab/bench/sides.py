"""What is put under load: the whole service, and the server that people write instead; each on ports of its own."""

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
from shared.handoff import presence
from shared.redis.client import make_redis

#: The service's processes as the Procfile has them.
_PROGRAMS = ("web", "worker", "identity", "clock", "events")
#: As people have it who set nothing, where a benchmark of many clients on one machine does not forbid it.
_SETTINGS = {"SESSION_TTL": "600"}


class Side(Protocol):
    """What answers a load."""

    @property
    def front(self) -> tuple[str, int]:
        """Where clients connect to."""

    def kinds(self) -> Mapping[str, Sequence[psutil.Process]]:
        """Its processes by kind."""


class Service(Stack):
    """All of it, as the Procfile starts it: one program of so many worker processes, which share their models.

    From `with` to its end. Nothing before the web process unless it is `balanced` (nginx).
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
        """The workers' program."""
        frames = queue == "frames"
        program = ["workers", "-p", str(self.worker_processes)] if frames else ["dramatiq", "workers.main", "-p", "1"]
        command = [sys.executable, "-m", *program, "-t", "1", "-Q", queue]
        return self._run("worker" if frames else queue, command, number=number)

    def kinds(self) -> dict[str, list[psutil.Process]]:
        """See Side."""
        programs = {name: self.programs_named(name) for name in _PROGRAMS}
        programs |= {server.name: [server.process] for server in self.servers}
        if self.balancer:
            programs["nginx"] = [self.balancer.process]
        return {name: [member for one in some for member in one.family()] for name, some in programs.items()}

    def wait_until_ready(self, seconds: float = 60.0, port: int | None = None) -> None:
        """Until every worker has loaded its models: /readyz is content with one."""
        super().wait_until_ready(seconds, port)
        with make_redis(self.redis.url) as client:
            booted = lambda: presence.seen_lately(client) >= self.worker_processes  # noqa: E731
            wait_for(booted, seconds, "not every worker came up")


class Peer:
    """FastAPI with MediaPipe in its handler: peer/server.py, in an environment of its own. From `with` to its end."""

    def __init__(self, *options: str) -> None:
        """options: see peer/server.py."""
        self._folder = tempfile.TemporaryDirectory(prefix="bench-")
        self.front = ("127.0.0.1", free_port())
        command = [str(environment.python()), str(TOP / "ops/lab/bench/peer/server.py"), str(self.front[1]), *options]
        self._process = Process("peer", command, log=Path(self._folder.name) / "peer.log")

    def __enter__(self) -> Self:
        self._process.start()
        try:
            wait_for(lambda: answers(self.front, "/livez"), 60, "the peer did not answer")
        except RuntimeError as error:
            said = self._process.log_end()
            self.__exit__(None, None, None)
            raise click.ClickException(f"{error}:\n{said}") from None
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
    """Keep this process, and all that it starts, on the first so many cores of those it may use; how many these are."""
    if not hasattr(os, "sched_setaffinity"):  # not Linux
        return os.cpu_count() or 1
    allowed = sorted(os.sched_getaffinity(0))[:cores]
    os.sched_setaffinity(0, allowed)
    return len(allowed)


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Who has which cores, by their numbers."""

    name: str
    service: frozenset[int]
    load: frozenset[int]

    @contextmanager
    def started(self, service: Service) -> Iterator[Service]:
        """Start the service on its cores; then this thread, and those that it starts from then on, are on the load's."""
        before = os.sched_getaffinity(0)
        try:
            os.sched_setaffinity(0, self.service)
            with service:
                os.sched_setaffinity(0, self.load)
                yield service
        finally:
            os.sched_setaffinity(0, before)


def arrangements() -> list[Arrangement]:
    """The service on all cores of this process but the last, which the load has; then both on all of them."""
    if not hasattr(os, "sched_getaffinity"):  # not Linux
        return []
    cores = sorted(os.sched_getaffinity(0))
    shared = Arrangement("shared", frozenset(cores), frozenset(cores))
    apart = [Arrangement("apart", frozenset(cores[:-1]), frozenset(cores[-1:]))] if len(cores) > 1 else []
    return [*apart, shared]
