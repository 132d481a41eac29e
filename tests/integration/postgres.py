"""A real PostgreSQL for the tests, as a pytest plugin (tests/conftest.py names it).

- `postgres`: the server, started once for the whole run, thrown away after it. Skips where the machine has none; in CI,
  a missing one is an error.
- `postgres_url`: the URL of a new, empty database in it.

It is reached by a unix socket in a private temporary directory, so it takes no port and nobody else can connect.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

#: Who runs the server when the tests run as root, which PostgreSQL refuses to do; the first that exists.
UNPRIVILEGED = ("postgres", "nobody")


class PostgresServer:
    """A cluster in a directory of its own, from `start` to `stop`."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        # Not below pytest's tmp_path: a unix socket's path may have about 100 characters.
        self._directory = Path(tempfile.mkdtemp(prefix="pg-"))
        self._account = _unprivileged_account() if os.geteuid() == 0 else None
        if self._account is not None:
            os.chown(self._directory, self._account.pw_uid, self._account.pw_gid)

    @property
    def user(self) -> str:
        """The cluster's superuser."""
        return "liveness"

    def start(self) -> None:
        """Make the cluster and start the server; returns when it accepts connections."""
        data = self._directory / "data"
        self._run("initdb", "-D", data, "-U", self.user, "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        settings = {
            "listen_addresses": "''",
            "unix_socket_directories": f"'{self._directory}'",
            # Nothing here is to outlive the tests.
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "max_connections": "60",
            "shared_buffers": "32MB",
        }
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        self._run("pg_ctl", "-D", data, "-w", "-t", "60", "-l", self._directory / "log", "-o", options, "start")

    def stop(self) -> None:
        """Stop the server, whatever is connected, and remove all of it."""
        data = self._directory / "data"
        try:
            if (data / "postmaster.pid").exists():
                self._run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
        finally:
            shutil.rmtree(self._directory, ignore_errors=True)

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of one of its databases."""
        return f"postgresql+psycopg://{self.user}@/{database}?host={self._directory}"

    def create_database(self) -> str:
        """The name of a new, empty database."""
        name = f"t_{uuid.uuid4().hex}"
        self._administer(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is still connected to it."""
        self._administer(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _administer(self, statement: sql.Composed) -> None:
        where = f"host={self._directory} user={self.user} dbname=postgres"
        with psycopg.connect(where, autocommit=True) as connection:
            connection.execute(statement)

    def _run(self, program: str, *arguments: str | Path) -> None:
        command = [str(self._binaries / program), *map(str, arguments)]
        if self._account is not None:
            ids = f"--reuid={self._account.pw_uid}", f"--regid={self._account.pw_gid}"
            command = ["setpriv", *ids, "--clear-groups", *command]
        # To a file, not to a pipe: the server that pg_ctl starts would keep a pipe open for as long as it runs.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                command, stdout=output, stderr=subprocess.STDOUT, timeout=120, check=False, cwd=self._directory
            )
            output.seek(0)
            if done.returncode != 0:
                raise RuntimeError(f"{program} failed ({done.returncode}): {output.read().strip()}")


def find_binaries() -> Path | None:
    """The directory that holds initdb and pg_ctl: by PATH, else where Debian keeps them, the newest first."""
    on_path = shutil.which("initdb")
    candidates = [Path(on_path).resolve().parent] if on_path else []
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    candidates += sorted(versions, key=lambda path: _version(path.parent.name), reverse=True)
    return next((path for path in candidates if (path / "initdb").exists() and (path / "pg_ctl").exists()), None)


def _version(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in name.split(".") if part.isdigit())


def _unprivileged_account() -> pwd.struct_passwd:
    for name in UNPRIVILEGED:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError(f"PostgreSQL does not run as root, and there is no account {' or '.join(UNPRIVILEGED)}")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running PostgreSQL."""
    binaries = find_binaries()
    if binaries is None:
        reason = "no PostgreSQL: neither PATH nor /usr/lib/postgresql has initdb and pg_ctl"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}; in CI it must be installed", pytrace=False)
        pytest.skip(reason)
    server = PostgresServer(binaries)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """The URL of a new, empty database."""
    name = postgres.create_database()
    yield postgres.url(name)
    postgres.drop_database(name)
