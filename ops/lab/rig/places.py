"""Where the parts of a stack run: all on this machine, or on hosts in network namespaces."""

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
#: The period, in microseconds, in which a host may use its share of a processor.
_PERIOD = 20_000


@dataclass(frozen=True, slots=True)
class Place:
    """A host: its address, and the words that, put before a command, run it there."""

    host: str = "127.0.0.1"
    prefix: list[str] = field(default_factory=list)


#: This machine.
HERE = Place()


class Places(Protocol):
    """Says on which host each part of a stack runs."""

    def of(self, part: str, number: int = 0) -> Place:
        """The host of a part: redis, postgres, rabbitmq, balancer, web, worker, identity, clock or events."""


class OneMachine:
    """Every part runs on this machine."""

    def of(self, part: str, number: int = 0) -> Place:  # noqa: ARG002 - the same for all
        """See Places."""
        return HERE


class Hosts:
    """Hosts in network namespaces on a private bridge, which exist inside a `with` block. Needs root.

    There is one host each for the balancer, RabbitMQ, PostgreSQL and Redis, one for each web process and each worker; the
    clock, the relay of events and the comparison of faces run on the first web host. Raises PermissionError without root,
    and Missing without `ip`.
    """

    NET = "10.77.0"
    BRIDGE = "chaosbr"

    def __init__(self, workers: int = 3, *, worker_cpu: float = 0.25) -> None:
        """worker_cpu: the share of a processor that each worker host may use."""
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
            # Joins the cgroup before it enters the namespace, which has a /sys of its own.
            enter = ["/bin/sh", "-c", f'echo $$ > {_CPU}/chaos-{name}/cgroup.procs; exec "$@"', "sh", *enter]
        return Place(self._address(name), enter)

    def cut(self, name: str) -> None:
        """Cut a host off the network."""
        _ip("link", "set", f"ch-{name}", "down")

    def mend(self, name: str) -> None:
        """Connect a host again."""
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
            # Deleted explicitly: the end of a namespace deletes its side only some time later.
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
