"""Redis, PostgreSQL and RabbitMQ servers that belong to one run: they can be killed, paused and given a small disk."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeVar

import psutil
import psycopg
from psycopg import sql

from ops.lab.rig import ROOT
from ops.lab.rig.places import HERE, Place
from ops.lab.rig.processes import Missing, Process, wait_for
from ops.run import redis_server
from ops.run.ports import free_port

#: Accounts that may run PostgreSQL, which refuses to run as root; the first that exists is taken.
UNPRIVILEGED = ("postgres", "nobody")


class Server:
    """A server on a port of its own, with its data in `directory`; it can be started again on the same data.

    Raises `Missing` if this machine does not have the program.
    """

    name = "server"
    #: Seconds that the server may take to answer after its start.
    boot = 15.0

    def __init__(self, directory: Path, place: Place = HERE, more: Mapping[str, str] | None = None) -> None:
        """more: variables that are added to this process's environment."""
        self.directory, self.host, self.prefix = directory, place.host, place.prefix
        self.environment = os.environ | (more or {})
        directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.process = self._make()

    @property
    def url(self) -> str:
        """The server's address, as the service's settings take it."""
        raise NotImplementedError

    def start(self) -> None:
        """Start the server; returns when it answers. Raises RuntimeError with the end of its log."""
        self.process.start()
        ready_or_ended = lambda: self._ready() or not self.process.running  # noqa: E731
        try:
            wait_for(ready_or_ended, self.boot, f"{self.name} did not answer", 0.03)
        except RuntimeError as error:
            raise RuntimeError(f"{error}: {self.process.log_end()}") from None
        if not self.process.running:
            raise RuntimeError(f"{self.name} does not start: {self.process.log_end()}")

    def kill(self) -> None:
        """Kill the server with SIGKILL; what it has written to its disk stays."""
        self.process.kill()

    def stop(self) -> None:
        """End the server for good, as quickly as it can without leaving anything behind in the system."""
        self.kill()

    def restart(self) -> None:
        """Kill the server and start it again, as after a crash."""
        self.kill()
        self.start()

    def hung(self) -> AbstractContextManager[None]:
        """See `Process.hung`."""
        return self.process.hung()

    def connections(self) -> int:
        """The number of clients that are connected."""
        of_each = self.process.of_each(lambda process: process.net_connections())
        return sum(c.status == "ESTABLISHED" and c.laddr.port == self.port for some in of_each for c in some)

    def _make(self) -> Process:
        raise NotImplementedError

    def _ready(self) -> bool:
        raise NotImplementedError


class Redis(Server):
    """A Redis that keeps nothing on disk: a restart loses everything, which is the worst case for the service."""

    name = "Redis"

    @property
    def url(self) -> str:
        """See Server."""
        return f"redis://{self.host}:{self.port}/0"

    @staticmethod
    def program() -> str:
        """The path of a redis-server: the machine's, else the one that `ops/test` has fetched. Raises Missing."""
        embedded = ROOT / "var" / "bin" / redis_server.EMBEDDED.name
        program = redis_server.system_program() or (str(embedded) if embedded.exists() else None)
        if program is None:
            raise Missing("redis-server")
        return program

    def _make(self) -> Process:
        return Process(
            "redis",
            [*self.prefix, self.program(), "-"],
            log=self.directory / redis_server.LOG,
            environment=self.environment,
            directory=self.directory,
            stdin=redis_server.configuration(self.directory, self.port, host=self.host),
        )

    def _ready(self) -> bool:
        return redis_server.answers(self.url)


class Sentinel(Server):
    """A Redis Sentinel that watches one primary, called `mymaster`, and decides alone."""

    name = "Redis Sentinel"
    #: The primary at the beginning; to be set before the start.
    watched: Redis

    @property
    def url(self) -> str:
        """See Server; the address of the primary, whichever it is."""
        return f"redis+sentinel://{self.host}:{self.port}/mymaster/0"

    def start(self) -> None:
        """See Server."""
        lines = [
            f"bind {self.host}",
            f"port {self.port}",
            "protected-mode no",
            f'dir "{self.directory}"',
            f"sentinel monitor mymaster {self.watched.host} {self.watched.port} 1",
            "sentinel down-after-milliseconds mymaster 1000",
            "sentinel failover-timeout mymaster 5000",
        ]
        self._configuration.write_text("\n".join([*lines, ""]))
        super().start()

    @property
    def _configuration(self) -> Path:
        return self.directory / "sentinel.conf"  # which the Sentinel rewrites

    def _make(self) -> Process:
        command = [*self.prefix, Redis.program(), str(self._configuration), "--sentinel"]
        return Process("sentinel", command, log=self.directory / "sentinel.log", environment=self.environment)

    def _ready(self) -> bool:
        return redis_server.answers(f"redis://{self.host}:{self.port}/0")


class Postgres(Server):
    """A PostgreSQL cluster whose superuser is `liveness`."""

    name = "PostgreSQL"
    boot = 60.0
    #: Whether a commit reaches the disk. Tests, which never crash the machine, are quicker without.
    durable = True

    @property
    def url(self) -> str:
        """See Server; the database is `postgres`."""
        return self.database_url("postgres")

    @property
    def data(self) -> Path:
        """The cluster's directory."""
        return self.directory / "data"

    def database_url(self, name: str) -> str:
        """The address of one of the cluster's databases."""
        return f"postgresql://liveness@{self.host}:{self.port}/{name}"

    def create_database(self, template: str = "template1") -> str:
        """Create a database as a copy of `template`; returns its name."""
        name = f"t_{uuid.uuid4().hex}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self._administer(statement.format(sql.Identifier(name), sql.Identifier(template)))
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database, even if clients are connected to it."""
        self._administer(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def start(self) -> None:
        """See Server; the first start makes the cluster."""
        self.directory.mkdir(exist_ok=True)  # a small disk mounted since then hides the first one
        if not (self.data / "PG_VERSION").exists():
            self._initdb()
        super().start()

    def stop(self) -> None:
        """See Server. PostgreSQL's immediate shutdown removes its shared memory, which SIGKILL leaves behind."""
        self.process.end(within=10, number=signal.SIGQUIT)

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
        if not self.durable:
            options |= dict.fromkeys(("fsync", "synchronous_commit", "full_page_writes"), "off")
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        command = [*self.prefix, *_unprivileged(), str(_binaries() / "postgres"), "-D", str(self.data), *arguments]
        log = self.directory / "postgres.log"
        return Process("postgres", command, log=log, environment=self.environment, directory=Path("/"))

    def _initdb(self) -> None:
        if account := _account():
            os.chown(self.directory, account.pw_uid, account.pw_gid)
        options = ["-U", "liveness", "-A", "trust", "-E", "UTF8", "--no-locale", "--wal-segsize=1"]
        options += [] if self.durable else ["--no-sync"]
        command = [*_unprivileged(), str(_binaries() / "initdb"), "-D", str(self.data), *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
        if done.returncode:
            raise RuntimeError(f"initdb: {done.stdout}{done.stderr}")
        if self.host != HERE.host:  # a host in a network namespace: only the stack's own hosts are on its network
            with (self.data / "pg_hba.conf").open("a") as rules:
                rules.write("host all all samenet trust\n")

    def _administer(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)

    def _ready(self) -> bool:
        try:
            with psycopg.connect(self.url, connect_timeout=2):
                return True
        except psycopg.Error:
            return False


class QuickPostgres(Postgres):
    """A PostgreSQL that does not wait for the disk, for tests."""

    durable = False


class PgBouncer(Server):
    """A PgBouncer in transaction mode, as it comes: it refuses startup parameters and follows no prepared statements."""

    name = "PgBouncer"
    #: The cluster behind it; to be set before the start.
    behind: Postgres

    @property
    def url(self) -> str:
        """See Server; the database is `postgres`."""
        return self.database_url("postgres")

    def database_url(self, name: str) -> str:
        """The address of one of the cluster's databases, by this pooler."""
        return f"postgresql://liveness@{self.host}:{self.port}/{name}"

    def start(self) -> None:
        """See Server."""
        lines = [
            "[databases]",
            f"* = host={self.behind.host} port={self.behind.port} user=liveness",
            "[pgbouncer]",
            f"listen_addr = {self.host}",
            f"listen_port = {self.port}",
            "unix_socket_dir =",
            "auth_type = any",
            "pool_mode = transaction",
            "default_pool_size = 3",
        ]
        self._configuration.write_text("\n".join([*lines, ""]))
        super().start()

    @property
    def _configuration(self) -> Path:
        return self.directory / "pgbouncer.ini"

    def _make(self) -> Process:
        program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
        if program is None:
            raise Missing("pgbouncer")
        command = [*self.prefix, *_unprivileged(), program, str(self._configuration)]
        return Process("pgbouncer", command, log=self.directory / "pgbouncer.log", environment=self.environment)

    def _ready(self) -> bool:
        try:
            with psycopg.connect(self.url, connect_timeout=2):
                return True
        except psycopg.Error:
            return False


class Rabbitmq(Server):
    """A RabbitMQ node with an Erlang port mapper (epmd) of its own."""

    name = "RabbitMQ"
    boot = 90.0

    @property
    def url(self) -> str:
        """See Server; the virtual host is the default one."""
        return f"amqp://guest:guest@{self.host}:{self.port}/%2F"

    def kill(self) -> None:
        """See Server; the port mapper goes too."""
        super().kill()
        # epmd is a daemon outside the process group, and `epmd -kill` refuses while it believes that the node lives.
        for process in psutil.process_iter(["name"]):
            with contextlib.suppress(psutil.Error):
                if process.info["name"] == "epmd" and process.environ().get("HOME") == str(self.directory):
                    process.kill()

    def control(self, *command: str) -> None:
        """Run a command of rabbitmqctl. Raises CalledProcessError."""
        script = Path("/usr/lib/rabbitmq/bin/rabbitmqctl")
        program = str(script) if script.exists() else "rabbitmqctl"
        subprocess.run([*self.prefix, program, *command], env=self._own, check=True, capture_output=True)

    def _make(self) -> Process:
        script = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")  # Debian's script on PATH insists on one node a machine
        program = str(script) if script.exists() else shutil.which("rabbitmq-server")
        if program is None:
            raise Missing("rabbitmq-server")
        (self.directory / "plugins").write_text("[].\n")
        # Hosts in network namespaces connect as guest, who may otherwise only come from localhost.
        (self.directory / "rabbitmq.conf").write_text("loopback_users = none\n")
        own = {
            "HOME": str(self.directory),  # for the Erlang cookie
            "RABBITMQ_NODENAME": f"rig{self.port}@localhost",
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
        self._own = self.environment | own
        log = self.directory / "rabbitmq.log"
        return Process("rabbitmq", [*self.prefix, program], log=log, environment=self._own)

    def _ready(self) -> bool:
        try:
            with socket.create_connection((self.host, self.port), timeout=2) as connection:
                connection.sendall(b"AMQP\x00\x00\x09\x01")
                return bool(connection.recv(1))
        except OSError:
            return False


_S = TypeVar("_S", bound=Server)


@contextmanager
def running(kind: Callable[[Path], _S]) -> Iterator[_S]:
    """A running server of this kind; it and its directory are gone after the block. Raises Missing."""
    with tempfile.TemporaryDirectory(prefix="rig-", ignore_cleanup_errors=True) as directory:
        Path(directory).chmod(0o755)  # PostgreSQL's account must be able to pass through
        server = kind(Path(directory) / "server")
        try:
            server.start()
            yield server
        finally:
            server.stop()


def _binaries() -> Path:
    """The directory of initdb and postgres: that of the initdb on PATH, else Debian's, the newest version first."""
    found = shutil.which("initdb")
    candidates = [Path(found).resolve().parent] if found else []
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    candidates += sorted(versions, key=lambda path: _version(path.parent.name), reverse=True)
    for directory in candidates:
        if (directory / "initdb").exists() and (directory / "postgres").exists():
            return directory
    raise Missing("PostgreSQL (initdb, postgres)")


def _version(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in name.split(".") if part.isdigit())


def _account() -> pwd.struct_passwd | None:
    """The account that PostgreSQL runs under; None where this process is not root and may run it itself."""
    if os.geteuid() != 0:
        return None
    for name in UNPRIVILEGED:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise Missing(f"an account {' or '.join(UNPRIVILEGED)}, since PostgreSQL does not run as root")


def _unprivileged() -> list[str]:
    """The command that runs another one under PostgreSQL's account."""
    account = _account()
    return ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"] if account else []
