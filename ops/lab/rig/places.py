"""Where the service's parts run: all on this machine, or each on a host of its own, in a network namespace."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ops.lab.rig.processes import Missing

_CPU = Path("/sys/fs/cgroup/cpu")
#: Microseconds over which a share of a processor is meted out.
_PERIOD = 20_000


@dataclass(frozen=True, slots=True)
class Place:
    """A host: its address, and the command that runs another command there."""

    host: str = "127.0.0.1"
    prefix: list[str] = field(default_factory=list)


#: This machine.
HERE = Place()


class Places(Protocol):
    """Tells where parts run."""

    def of(self, part: str, number: int = 0) -> Place:
        """The host of a part: redis, postgres, rabbitmq, balancer, web, worker, identity, clock, events."""


class OneMachine:
    """All of it here."""

    def of(self, part: str, number: int = 0) -> Place:  # noqa: ARG002 - they are all the same
        """See Places."""
        return HERE


class Hosts:
    """Hosts in network namespaces on one bridge, which nothing else can reach; from `with` to its end. Needs root.

    A balancer, two webs, workers, and one each for RabbitMQ, PostgreSQL and Redis; the clock, the relay and the comparing
    of faces are on the first web's.
    """

    NET = "10.77.0"
    BRIDGE = "chaosbr"

    def __init__(self, workers: int = 3, *, worker_cpu: float = 0.25) -> None:
        """worker_cpu: of how much of a processor each worker host disposes."""
        if os.geteuid() != 0:
            raise PermissionError("hosts in network namespaces need root")
        if shutil.which("ip") is None:
            raise Missing("ip (Debian: apt install iproute2)")
        self._names = ["redis", "postgres", "rabbitmq", "balancer", "web0", "web1"]
        self._names += [f"worker{n}" for n in range(workers)]
        self._cpu = worker_cpu
        self._ends = ExitStack()

    def __enter__(self) -> Hosts:
        try:
            self._make()
        except BaseException:
            self._ends.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()

    def of(self, part: str, number: int = 0) -> Place:
        """See Places."""
        name = {"web": f"web{number % 2}", "worker": f"worker{number}"}.get(part, part)
        if name not in self._names:
            name = "web0"
        enter = ["ip", "netns", "exec", f"chaos-{name}"]
        if part == "worker":
            # Before the namespace is entered: it has a /sys of its own.
            enter = ["/bin/sh", "-c", f'echo $$ > {_CPU}/chaos-{name}/cgroup.procs; exec "$@"', "sh", *enter]
        return Place(self._address(name), enter)

    def cut(self, name: str) -> None:
        """Pull a host's cable."""
        _ip("link", "set", f"ch-{name}", "down")

    def mend(self, name: str) -> None:
        """Plug it in again."""
        _ip("link", "set", f"ch-{name}", "up")

    def _address(self, name: str) -> str:
        return f"{self.NET}.{10 + self._names.index(name)}"

    def _make(self) -> None:
        _ip("link", "add", self.BRIDGE, "type", "bridge")
        self._ends.callback(_ip, "link", "del", self.BRIDGE)
        _ip("addr", "add", f"{self.NET}.1/24", "dev", self.BRIDGE)
        _ip("link", "set", self.BRIDGE, "up")
        for name in self._names:
            space = f"chaos-{name}"
            _ip("netns", "add", space)
            self._ends.callback(_ip, "netns", "del", space)
            _ip("link", "add", f"ch-{name}", "type", "veth", "peer", "name", "eth0", "netns", space)
            # The cable by itself: a namespace's end takes its own end of it away some time later.
            self._ends.callback(_ip, "link", "del", f"ch-{name}")
            _ip("link", "set", f"ch-{name}", "master", self.BRIDGE, "up")
            for command in (
                ("addr", "add", f"{self._address(name)}/24", "dev", "eth0"),
                ("link", "set", "eth0", "up"),
                ("link", "set", "lo", "up"),
            ):
                _ip("-n", space, *command)
            if name.startswith("worker"):
                self._limit(_CPU / space)

    def _limit(self, group: Path) -> None:
        group.mkdir()
        self._ends.callback(group.rmdir)
        (group / "cpu.cfs_period_us").write_text(str(_PERIOD))
        (group / "cpu.cfs_quota_us").write_text(str(int(_PERIOD * self._cpu)))


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)
