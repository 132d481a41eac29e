"""The servers that the service needs, our own: they can be restarted, stopped for a while, robbed of their disk."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

import psutil
import psycopg
import redis

from ops.lab.rig.places import Place
from ops.lab.rig.processes import Missing, Process, wait_for
from ops.run.ports import free_port


class Server:
    """What all of them have in common. It listens on `host`, and can be started again on the same data."""

    name = "server"
    #: Seconds that it may take to answer.
    boot = 15.0

    def __init__(self, directory: Path, place: Place, more: Mapping[str, str] | None = None) -> None:
        """more: what its environment has beside our own."""
        self.directory, self.host, self.prefix = directory, place.host, place.prefix
        self.environment = os.environ | (more or {})
        directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.process = self._make()

    @property
    def url(self) -> str:
        """Its address for the service's settings."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it; returns when it answers."""
        self.process.start()
        try:
            wait_for(self._ready, self.boot, f"{self.name} did not answer")
        except RuntimeError as error:
            raise RuntimeError(f"{error}: {self.process.said()}") from None

    def stop(self) -> None:
        """End it at once."""
        self.process.kill()

    def restart(self) -> None:
        """As after a crash: -9, and up again."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Stop its processes; connections stay, nobody answers."""
        self.process.of_each(lambda process: process.send_signal(signal.SIGSTOP))

    def resume(self) -> None:
        """The reverse of `pause`."""
        self.process.of_each(lambda process: process.send_signal(signal.SIGCONT))

    def connections(self) -> int:
        """How many clients are connected to it."""
        held = self.process.of_each(lambda process: process.net_connections())
        return sum(c.status == "ESTABLISHED" and c.laddr.port == self.port for some in held for c in some)

    def _make(self) -> Process:
        raise NotImplementedError

    def _ready(self) -> bool:
        raise NotImplementedError


class Redis(Server):
    """Redis without a disk: a restart loses all of it, which is the worst that it can do."""

    name = "Redis"

    @property
    def url(self) -> str:
        """See Server."""
        return f"redis://{self.host}:{self.port}/0"

    def _make(self) -> Process:
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        if program is None:
            raise Missing("redis-server")
        options = {"port": self.port, "bind": self.host, "protected-mode": "no", "save": "", "appendonly": "no"}
        arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        log = self.directory / "redis.log"
        command = [*self.prefix, program, *arguments]
        return Process("redis", command, log=log, environment=self.environment, directory=self.directory)

    def _ready(self) -> bool:
        try:
            with redis.Redis(self.host, self.port, socket_timeout=1) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


class Postgres(Server):
    """PostgreSQL with its own durability switched on: what was committed must be there after -9."""

    name = "PostgreSQL"
    boot = 60.0

    @property
    def url(self) -> str:
        """See Server."""
        return f"postgresql://liveness@{self.host}:{self.port}/postgres"

    @property
    def data(self) -> Path:
        """Its cluster."""
        return self.directory / "data"

    def start(self) -> None:
        """See Server; makes the cluster the first time."""
        self.directory.mkdir(exist_ok=True)  # gone behind the disk that was mounted since
        if not (self.data / "PG_VERSION").exists():
            self._initdb()
        super().start()

    def _make(self) -> Process:
        options = {
            "listen_addresses": self.host,
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": 200,
            "shared_buffers": "32MB",
            "min_wal_size": "32MB",
            "max_wal_size": "64MB",
            "wal_recycle": "off",
        }
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        command = [*self.prefix, *_unprivileged(), str(_postgres("postgres")), "-D", str(self.data), *arguments]
        log = self.directory / "postgres.log"
        return Process("postgres", command, log=log, environment=self.environment, directory=Path("/"))

    def _initdb(self) -> None:
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            os.chown(self.directory, account.pw_uid, account.pw_gid)
        options = ["-U", "liveness", "-A", "trust", "-E", "UTF8", "--no-locale", "--wal-segsize=1"]
        command = [*_unprivileged(), str(_postgres("initdb")), "-D", str(self.data), *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
        if done.returncode:
            raise RuntimeError(f"initdb: {done.stdout}{done.stderr}")
        if self.host != "127.0.0.1":  # on a host in a namespace: nobody else is on its network
            with (self.data / "pg_hba.conf").open("a") as rules:
                rules.write("host all all samenet trust\n")

    def _ready(self) -> bool:
        try:
            with psycopg.connect(self.url, connect_timeout=2):
                return True
        except psycopg.Error:
            return False


class Rabbitmq(Server):
    """RabbitMQ, a node of its own."""

    name = "RabbitMQ"
    boot = 90.0

    @property
    def url(self) -> str:
        """See Server."""
        return f"amqp://guest:guest@{self.host}:{self.port}/%2F"

    def stop(self) -> None:
        """See Server; with the port mapper that it started."""
        super().stop()
        # It is a daemon, and its own `epmd -kill` refuses while it believes that the node lives.
        for process in psutil.process_iter(["name"]):
            with contextlib.suppress(psutil.Error):
                if process.info["name"] == "epmd" and process.environ().get("HOME") == str(self.directory):
                    process.kill()

    def _make(self) -> Process:
        own = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")  # Debian's own on PATH insists on one node a machine
        program = str(own) if own.exists() else shutil.which("rabbitmq-server")
        if program is None:
            raise Missing("rabbitmq-server")
        (self.directory / "plugins").write_text("[].\n")
        # The user guest is let in from elsewhere than localhost, for the hosts in their namespaces.
        (self.directory / "rabbitmq.conf").write_text("loopback_users = none\n")
        own = {
            "HOME": str(self.directory),  # for the Erlang cookie
            "RABBITMQ_NODENAME": f"chaos{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": self.host,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(self.directory / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.directory / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.directory / "plugins"),
            "RABBITMQ_CONF_ENV_FILE": str(self.directory / "none"),
            "RABBITMQ_CONFIG_FILE": str(self.directory / "rabbitmq"),
            "ERL_EPMD_PORT": str(free_port()),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }
        log = self.directory / "rabbitmq.log"
        return Process("rabbitmq", [*self.prefix, program], log=log, environment=self.environment | own)

    def _ready(self) -> bool:
        try:
            with socket.create_connection((self.host, self.port), timeout=2) as connection:
                connection.sendall(b"AMQP\x00\x00\x09\x01")
                return bool(connection.recv(1))
        except OSError:
            return False


def _postgres(program: str) -> Path:
    found = shutil.which(program)
    where = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    candidates = [Path(found)] if found else []
    path = next((p for p in [*candidates, *(directory / program for directory in where)] if p.exists()), None)
    if path is None:
        raise Missing("PostgreSQL (initdb, postgres)")
    return path


def _unprivileged() -> list[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return []
    account = pwd.getpwnam("postgres")
    return ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
