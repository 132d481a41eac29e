"""The whole service for one run: web processes behind a balancer, workers and clock, over a choice of servers."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Engine

from ops.lab.rig import ROOT
from ops.lab.rig.balancer import Balancer
from ops.lab.rig.client import answers
from ops.lab.rig.disk import SmallDisk
from ops.lab.rig.places import OneMachine, Places
from ops.lab.rig.processes import Process, wait_for
from ops.lab.rig.servers import Postgres, Rabbitmq, Redis, Server
from ops.lab.rig.wrongclock import WrongClock
from ops.run.ports import free_port
from shared.db import make_engine
from shared.settings import Settings

#: Seconds between two looks whether a process has died, as often as a platform looks.
_LOOK = 0.5
#: Seconds that a stopping process has before it is killed: longer than gunicorn's graceful_timeout.
GRACE = 15.0


class Backing(StrEnum):
    """The servers that a stack runs on."""

    EMBEDDED = "embedded"
    """SQLite and Redis: what `ops/up` starts."""
    FULL = "full"
    """PostgreSQL, RabbitMQ and Redis."""


class Stack:
    """The whole service, running inside a `with` block; programs that die are started again, as a platform does.

    Raises `Missing` or PermissionError if this machine cannot run it.
    """

    def __init__(
        self,
        kind: Backing,
        *,
        webs: int = 2,
        workers: int = 2,
        identity: bool = True,
        disk_megabytes: int | None = None,
        wrong_clock: bool = False,
        settings: Mapping[str, str] | None = None,
        places: Places | None = None,
        balanced: bool = True,
    ) -> None:
        """What the stack is made of.

        disk_megabytes: the size of a disk of the database's own, which can be filled (needs root). wrong_clock: whether
        clocks can be set wrong. places: where each part runs; None: on this machine. balanced: whether clients connect to
        a balancer; else to the first web process.
        """
        self.kind = kind
        self.directory = Path(tempfile.mkdtemp(prefix="chaos-"))
        self.directory.chmod(0o755)  # PostgreSQL's account must be able to pass through
        self._ends = ExitStack()
        self._ends.callback(shutil.rmtree, self.directory, ignore_errors=True)
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self.disk = SmallDisk(self.directory / "disk", disk_megabytes) if disk_megabytes else None
        self.clock = WrongClock(self.directory / "time") if wrong_clock else None
        rows = self.disk.path if self.disk else self.directory
        self._places = places or OneMachine()
        full, at = kind is Backing.FULL, self._places.of
        more = self.clock.server_environment if self.clock else lambda _: {}
        self.redis = Redis(self.directory / "redis", at("redis"), more("Redis"))
        self.postgres = Postgres(rows / "postgres", at("postgres"), more("PostgreSQL")) if full else None
        self.rabbitmq = Rabbitmq(self.directory / "rabbitmq", at("rabbitmq"), more("RabbitMQ")) if full else None
        database = self.postgres.url if self.postgres else f"sqlite:///{rows}/rows/liveness.db"
        queue = self.rabbitmq.url if self.rabbitmq else self.redis.url
        self._identity = identity
        own = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "PYTHONPATH": str(ROOT),
            "REDIS_URL": self.redis.url,
            "QUEUE_URL": queue,
            "DATABASE_URL": database,
            "IDENTITY": "on" if identity else "off",
            "MODELS_DIR": str(ROOT / os.environ.get("MODELS_DIR", "var/models")),
            "LOG_FORMAT": "json",
            "STATE_DIR": str(self.directory / "state"),
            # Parts may run on hosts of their own (`places`), and no key is asked for.
            "BIND": "0.0.0.0",  # noqa: S104 - in the rig's own networks
            "ALLOWED_HOSTS": "*",
            # Sessions that their clients left end within the run.
            "SESSION_TTL": "30",
            # All clients have one address here, and send as fast as they can.
            "LIMIT_SESSIONS_BY_ADDRESS": "off",
            "LIMIT_FRAMES": "off",
        }
        own |= settings or {}
        self.environment = os.environ | own
        values: dict[str, Any] = {name.lower(): value for name, value in own.items() if name != "PATH"}
        self.settings = Settings(_env_file=None, **values)
        self.programs: list[Process] = []
        self.web_ports = [free_port() for _ in range(webs + 1)]  # one more, for the first new process of a deployment
        addresses = [f"{at('web', number).host}:{port}" for number, port in enumerate(self.web_ports)]
        self.balancer = Balancer(self.directory / "nginx", addresses, at("balancer")) if balanced else None
        self._webs, self._workers = webs, workers
        self.engine: Engine

    @property
    def servers(self) -> list[Server]:
        """The servers that the stack runs on."""
        return [server for server in (self.redis, self.postgres, self.rabbitmq) if server is not None]

    @property
    def front(self) -> tuple[str, int]:
        """The address that clients connect to."""
        if self.balancer:
            return self.balancer.host, self.balancer.port
        return self._places.of("web").host, self.web_ports[0]

    @property
    def deadline(self) -> float:
        """FRAME_DEADLINE, in seconds."""
        return self.settings.frame_deadline

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._ends.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends.close()

    def programs_named(self, name: str) -> list[Process]:
        """The processes of one program: web, worker, identity, clock or events."""
        with self._lock:
            return [program for program in self.programs if program.name == name]

    def start_web(self, port: int) -> Process:
        """Start one more web process; returns at once."""
        command = [sys.executable, "-m", "gunicorn", "-c", "ops/gunicorn.conf.py", "api:create_app()"]
        return self._run("web", command, {"PORT": str(port)}, number=self.web_ports.index(port))

    def start_worker(self, *, queue: str = "frames", number: int = 0) -> Process:
        """Start one more worker process, on the worker host of this number; returns at once."""
        frames = queue == "frames"
        command = [sys.executable, "-m", "workers", "-p", "1", "-t", "1", "-Q", queue]
        return self._run("worker" if frames else queue, command, number=number)

    def start_clock(self) -> Process:
        """Start one more clock; returns at once."""
        return self._run("clock", [sys.executable, "-m", "workers.clock"])

    def start_events(self) -> Process:
        """Start one more relay of events; returns at once."""
        return self._run("events", [sys.executable, "-m", "workers.events"])

    def forget(self, program: Process) -> None:
        """Do not start this process again when it ends."""
        with self._lock:
            self.programs.remove(program)

    def keep_logs(self, directory: Path) -> None:
        """Copy the logs of all programs and servers to a directory that outlives the stack."""
        directory.mkdir(parents=True, exist_ok=True)
        for path in self.directory.rglob("*.log"):
            shutil.copy(path, directory)

    def ready(self, port: int | None = None) -> bool:
        """Whether /readyz answers 200: that of the web process on this port; None: as clients see it."""
        if port is None:
            host, port = self.front
        else:
            host = self._places.of("web", self.web_ports.index(port)).host
        return answers((host, port), "/readyz")

    def wait_until_ready(self, seconds: float = 60.0, port: int | None = None) -> None:
        """Return when the service is ready. Raises RuntimeError with the ends of all logs."""
        logs = lambda: "\n".join(program.log_end() for program in self.programs)  # noqa: E731
        try:
            wait_for(lambda: self.ready(port), seconds, "the service was not ready", 0.3)
        except RuntimeError as error:
            raise RuntimeError(f"{error}\n{logs()}") from None

    def _start(self) -> None:
        if self.disk:
            self.disk.mount()
            self._ends.callback(self.disk.unmount)
        for server in self.servers:
            self._ends.callback(server.stop)
            server.start()
        migrate = Process(
            "migrate",
            [sys.executable, "-m", "alembic", "-c", "migrations/alembic.ini", "upgrade", "head"],
            log=self.directory / "migrate.log",
            environment=self.environment,
            directory=ROOT,
        )
        migrate.start()
        wait_for(lambda: not migrate.running, 60, "the migration did not end")
        self.engine = make_engine(self.settings.database_url, pool_size=2)
        self._ends.callback(self.engine.dispose)
        self._ends.callback(self._stop_programs)
        if self.balancer:
            self._ends.callback(self.balancer.stop)
            self.balancer.start()
        for port in self.web_ports[: self._webs]:
            self.start_web(port)
        for number in range(self._workers):
            self.start_worker(number=number)
        if self._identity:
            self.start_worker(queue="identity")
        self.start_clock()
        self.start_events()
        watch = threading.Thread(target=self._watch, name="watch", daemon=True)
        watch.start()
        self.wait_until_ready()

    def _run(
        self,
        name: str,
        command: list[str],
        more: Mapping[str, str] | None = None,
        *,
        number: int = 0,
    ) -> Process:
        environment = {**self.environment, **(more or {})}
        if self.clock:
            environment = environment | self.clock.environment(name, number, str(ROOT))
        with self._lock:
            log = self.directory / f"{name}-{len(list(self.directory.glob(f'{name}-*.log')))}.log"
            where = self._places.of(name, number).prefix
            process = Process(name, [*where, *command], log=log, environment=environment, directory=ROOT)
            process.start()
            self.programs.append(process)
        return process

    def _watch(self) -> None:
        while not self._stopping.wait(_LOOK):
            with self._lock:
                for program in self.programs:
                    if not program.running and not self._stopping.is_set():
                        program.kill()  # its children may have survived it
                        program.start()

    def _stop_programs(self) -> None:
        self._stopping.set()
        with self._lock:
            for program in self.programs:
                program.kill()
