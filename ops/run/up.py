"""Starts the whole service on this machine: Redis, migrations, and the programs of the Procfile; the code of `ops/up`.

Runs in .venv, once the packages are installed. Every program that it starts ends with it.
"""

from __future__ import annotations

import argparse
import errno
import fcntl
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO

from sqlalchemy import make_url

from ops.run import models, redis_server
from ops.run.private import UMASK, is_shared, make_private, tighten
from ops.run.supervisor import Supervisor
from ops.run.words import PORT_TAKEN, SECOND_START, fail, say
from shared.db import UnitOfWork, make_engine
from shared.settings import Settings, load_settings_or_exit

ROOT = Path(__file__).resolve().parents[2]
VAR = ROOT / "var"
#: Seconds that the service may take from its start until /readyz says yes.
START_TIMEOUT = 60.0

USAGE = """\
Starts the face liveness service on this machine; Ctrl-C ends it. The first start makes .venv and fetches the models.
Settings are environment variables, or lines of a file .env: see .env.example."""

TRY = """
The service listens on {url}: open it in a browser   (the API: {url}/docs)
Or try it by hand:
  curl -X POST '{url}/api/v1/liveness/sessions?num_challenges=3'
  curl -F image=@frame.jpg {url}/api/v1/liveness/sessions/SESSION_ID/frame
  curl {url}/api/v1/liveness/sessions/SESSION_ID
  curl -X DELETE {url}/api/v1/liveness/sessions/SESSION_ID
or let a client try it: ops/replay --camera, ops/replay VIDEO, ops/replay --performer
{lab}
Ctrl-C ends the service.
"""

LAB_OFF = "To see what the judges see, while developing: LAB=on ops/up   (docs/lab.md)"

OPEN = """
▲ {why}: everyone {who} may create sessions and read verdicts.
  {remedy}
"""


def main() -> None:
    """Set up, start, print the address, and keep running until a signal comes."""
    parser = argparse.ArgumentParser(prog="ops/up", description=USAGE)
    parser.add_argument("--setup-only", action="store_true", help="prepare everything and start nothing")
    arguments = parser.parse_args()
    os.umask(UMASK)
    settings = load_settings_or_exit()
    keep_from_others(settings)
    url = f"http://localhost:{settings.port}"
    with (VAR / "up.lock").open("a+") as lock:
        if not arguments.setup_only:
            refuse_second_start(lock, url)
            refuse_taken_port(settings.port)
        models.bring(models.needed(settings.landmarks, identity=settings.identity), ROOT / settings.models_dir)
        if "redis_url" not in settings.model_fields_set:
            redis_server.program_or_fail(VAR / "bin")
        if arguments.setup_only:
            say("ready to start: ops/up")
            return
        run(settings, url)


def keep_from_others(settings: Settings) -> None:
    """Tighten what an earlier start made: var/, and the files of a SQLite database elsewhere."""
    make_private(VAR)
    database = make_url(settings.database_url)
    if database.get_backend_name() == "sqlite" and database.database:
        for suffix in ("", "-wal", "-shm"):
            tighten(ROOT / f"{database.database}{suffix}")
    if is_shared(ROOT / ".env"):
        say("▲ other users of this machine can read .env, which may hold secrets: chmod 600 .env")


def refuse_second_start(lock: IO[str], url: str) -> None:
    """End with a sentence if this clone runs already. The kernel releases the lock when this process ends."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        fail(f"This clone runs already: {lock.read().strip() or 'it is starting'}.", SECOND_START)
    lock.truncate(0)
    lock.write(f"{url}, to be ended with Ctrl-C there or by: kill {os.getpid()}")
    lock.flush()


def refuse_taken_port(port: int) -> None:
    """End with a sentence if the port is taken; gunicorn would only try again."""
    for family, address in ((socket.AF_INET6, "::"), (socket.AF_INET, "0.0.0.0")):  # noqa: S104 - where web will listen
        try:
            probe = socket.socket(family, socket.SOCK_STREAM)
        except OSError:
            continue  # no IPv6 here
        with probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except PermissionError:
                fail(f"Port {port} needs more rights than you have. Choose another: PORT=8001 ops/up", PORT_TAKEN)
            except OSError as error:
                if error.errno == errno.EADDRNOTAVAIL:
                    continue  # IPv6 exists and is switched off
                fail(f"Port {port} is taken by another program. Choose another: PORT={port + 1} ops/up", PORT_TAKEN)


def run(settings: Settings, url: str) -> None:
    """Start Redis and the programs, and keep them running until a signal comes."""
    procfile = read_procfile(ROOT / "Procfile")
    if not settings.needs_identity_worker:
        del procfile["worker_identity"]
    environment = child_environment(settings)
    supervisor = Supervisor(environment, ROOT)
    supervisor.handle_signals()
    try:
        environment["REDIS_URL"] = bring_redis(settings, supervisor)
        migrate(procfile.pop("release"), environment)
        for name, command in procfile.items():
            if not supervisor.stopping.is_set():
                supervisor.start(name, shell(command))
        if wait_until_ready(settings, supervisor):
            lab = f"What the judges see, live: {url}/lab" if settings.lab else LAB_OFF
            print(TRY.format(url=url, lab=lab) + who_may_use_it(settings), flush=True)
            supervisor.keep_running()
        say("stopping")
    finally:
        supervisor.stop()
    say("stopped; nothing that was started is left running")


def who_may_use_it(settings: Settings) -> str:
    """A warning if anyone may use the service, or nobody; else empty."""
    who = f"who reaches port {settings.port}" if settings.bind else "on this machine, and nobody else,"
    if settings.auth == "off":
        return OPEN.format(why="AUTH=off", who=who, remedy="Unset it to ask for keys.")
    engine = make_engine(settings.database_url, pool_size=1)
    with UnitOfWork(engine, read_only=True) as uow:
        keys = uow.keys.all()
    engine.dispose()
    if keys:
        return ""
    if settings.auth == "required":
        return "\nAUTH=required, and no key has been made: nobody may use it. Make one: ops/keys create\n"
    remedy = (
        "ops/keys create makes the first API key; from then on one is asked for, and the next start listens to the network. "
        "(docs/access.md)"
    )
    return OPEN.format(why="No API key has been made", who=who, remedy=remedy)


def read_procfile(path: Path) -> dict[str, str]:
    """The Procfile's commands by their names."""
    lines = (line.partition(":") for line in path.read_text().splitlines() if line.strip() and line[0] != "#")
    return {name.strip(): command.strip() for name, _, command in lines}


def shell(command: str) -> list[str]:
    """A Procfile's command as a platform runs it; with `exec`, so that the program itself gets the signals."""
    return ["/bin/sh", "-c", f"exec {command}"]


def child_environment(settings: Settings) -> dict[str, str]:
    """The environment of the Procfile's commands: .venv first on PATH, and the settings that the commands expand."""
    # gunicorn forks a process that has loaded the app; macOS kills such a child if it meets Objective-C.
    more = {"OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES"} if sys.platform == "darwin" else {}
    return (
        os.environ
        | more
        | {
            "PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "PORT": str(settings.port),
            "WORKER_PROCESSES": str(settings.worker_processes),
            "PYTHONUNBUFFERED": "1",
        }
    )


def bring_redis(settings: Settings, supervisor: Supervisor) -> str:
    """The URL of the Redis that REDIS_URL names, else of one that is started here.

    Another Redis of this machine is never used: another clone's service, with other rows, may be using it.
    """
    if "redis_url" in settings.model_fields_set:
        ailment = redis_server.what_ails(settings.redis_url)
        if ailment is not None:
            fail(f"The Redis that REDIS_URL names {ailment}. Mend that, or unset REDIS_URL to have one started.")
        say("Redis: the one that REDIS_URL names")
        return settings.redis_url
    program = redis_server.program_or_fail(VAR / "bin")
    server = redis_server.to_start(program, VAR / "redis")
    supervisor.start("redis", server.command, server.config, goes_last=True)
    if not redis_server.wait(server.url):
        fail(f"Redis ({server.command[0]}) was started and does not answer; var/redis/redis.log says why.")
    say(f"Redis: {server.command[0]}, for this run only")
    return server.url


def migrate(command: str, environment: dict[str, str]) -> None:
    """Run the Procfile's `release`, which migrates the database."""
    say("database: migrating")
    done = subprocess.run(shell(command), env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stdout + done.stderr, file=sys.stderr)
        fail("The database (DATABASE_URL) could not be migrated; the lines above say why.")


def wait_until_ready(settings: Settings, supervisor: Supervisor) -> bool:
    """Wait for /readyz; False if a signal came first. Ends with a sentence if a program dies or time runs out."""
    say("starting web, workers and clock")
    until = time.monotonic() + START_TIMEOUT
    while True:
        if supervisor.stopping.wait(0.4):
            return False
        dead = supervisor.dead()
        if dead is not None:
            fail(f"{dead.name} {dead.how_it_ended()} before the service was ready; its lines above say why.")
        lacking = not_ready(own_address(settings))
        if not lacking:
            return True
        if time.monotonic() > until:
            fail(f"The service was not ready within {START_TIMEOUT:.0f} s: {lacking}")


def own_address(settings: Settings) -> str:
    """Host and port by which this machine reaches the service: by loopback, unless BIND names other addresses only."""
    named = [address.strip() for address in settings.bind.split(",") if address.strip()]
    if not named or {"0.0.0.0", "127.0.0.1"} & set(named):  # noqa: S104 - compared, not bound
        return f"127.0.0.1:{settings.port}"
    host = "::1" if named[0] == "::" else named[0]
    return f"[{host}]:{settings.port}" if ":" in host else f"{host}:{settings.port}"


def not_ready(address: str) -> str:
    """What the service still lacks, by its own /readyz; empty when it is ready."""
    # A proxy cannot reach this machine's localhost.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://{address}/readyz", timeout=5):
            return ""
    except urllib.error.HTTPError as error:
        body = error.read().decode(errors="replace")
        try:
            return json.dumps(json.loads(body))
        except ValueError:
            return body[:500]
    except OSError as error:
        return f"/readyz does not answer ({error})"


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
