"""What a frame costs each part of the whole service, under a short load of the drawn performer's frames."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, quantiles
from typing import Any

import psycopg

from ops.lab.bench.ours import measured
from ops.lab.rig import ROOT
from ops.lab.rig.clips import FPS, Clips
from ops.lab.rig.load import Load, Request
from ops.lab.rig.processes import Process
from ops.lab.rig.stack import Backing, Stack
from shared.liveness.challenge import ChallengeType
from shared.redis.client import make_redis
from workers.vision.pipeline import Vision

#: Seconds: of an idle service; of a load before it counts; of the load; of watching Redis and PostgreSQL.
IDLE, SETTLING, LOAD, WATCHED = 4.0, 4.0, 20.0, 8.0
#: Numbers of clients at which latency is measured; costs are measured at the first.
CLIENTS = (6, 12)
_PROGRAMS = ("web", "worker", "identity", "clock", "events")
_STATEMENT = re.compile(r"(?:statement|execute [^:]*): (\w+)")


@dataclass(frozen=True, slots=True)
class Reading:
    """The counters of all processes at one moment."""

    at: float
    #: Seconds of CPU by process.
    cpu: dict[str, float]
    #: Bytes that the service's own processes wrote to files, except logs.
    written: int
    redis: dict[str, float]
    #: Bytes of PostgreSQL's write-ahead log.
    wal: float


def measure(kind: Backing, clips: Clips) -> dict[str, float]:
    """Measure one kind of stack; returns the values by their names in measured.toml."""
    out: dict[str, float] = {}
    with Stack(kind, webs=1, workers=2, balanced=False) as stack:
        time.sleep(IDLE)  # until the start is over
        before = _read(stack)
        time.sleep(IDLE)
        idle = _between(before, _read(stack))
        for clients in CLIENTS if kind is Backing.EMBEDDED else CLIENTS[:1]:
            load = Load(stack.front, clips, clients=clients, fps=FPS, leaving=0.0)
            load.start()
            time.sleep(SETTLING)
            before = _read(stack)
            time.sleep(LOAD)
            after = _read(stack)
            within = [r for r in load.notes.requests if r.what == "frame" and before.at <= r.at < after.at]
            out |= _latency(clients, within, after.at - before.at)
            if clients == CLIENTS[0]:
                out |= _costs(kind, _between(before, after), idle, len(within) / (after.at - before.at))
                since = len(load.notes.requests)
                with _watching(stack) as seen:
                    time.sleep(WATCHED)
                out |= _counts(seen, sum(r.what == "frame" for r in load.notes.requests[since:]))
            load.finish(within=1.0)
        if kind is Backing.EMBEDDED:
            out["identity_cpu_ms"] /= out["comparisons"]
    return out


def vision_times(clips: Clips) -> list[float]:
    """Milliseconds of a frame's vision alone, at each 5 % from 2.5 to 97.5 %; the machine must be quiet."""
    vision = Vision.load(ROOT / "var" / "models", "mesh")
    frames = [jpeg for kind in ChallengeType for jpeg in clips.take(str(kind), 0)]
    times = [took for took, _, _ in measured(vision, frames, follows=True)["times"]]
    return quantiles(times, n=40)[::2]


def _read(stack: Stack) -> Reading:
    families = {name: stack.programs_named(name) for name in _PROGRAMS}
    servers = {server.name: [server.process] for server in stack.servers}
    cpu = {name: _cpu(programs) for name, programs in (families | servers).items()}
    own = [member for programs in families.values() for program in programs for member in program.family()]
    written = sum(process.io_counters().write_bytes for process in own)
    written -= sum(path.stat().st_size for path in stack.directory.glob("*.log"))
    wal = 0.0
    if stack.postgres:
        with psycopg.connect(stack.postgres.url) as connection:
            row = connection.execute("SELECT pg_current_wal_lsn() - '0/0'").fetchone()
            wal = float(row[0]) if row else 0.0
    with make_redis(stack.redis.url) as client:
        info: dict[str, Any] = client.info("stats") | client.info("commandstats")
    commands = sum(value["calls"] for name, value in info.items() if name.startswith("cmdstat_"))
    moved = info["total_net_input_bytes"] + info["total_net_output_bytes"]
    return Reading(time.monotonic(), cpu, written, {"commands": commands, "bytes": moved}, wal)


def _cpu(programs: list[Process]) -> float:
    times = [taken for program in programs for taken in program.of_each(lambda process: process.cpu_times())]
    return sum(t.user + t.system for t in times)


def _between(a: Reading, b: Reading) -> dict[str, float]:
    """The differences of all counters, a second."""
    seconds = b.at - a.at
    spent = {f"cpu {name}": b.cpu[name] - a.cpu[name] for name in b.cpu}
    spent |= {f"redis {name}": b.redis[name] - a.redis[name] for name in b.redis}
    spent |= {"written": b.written - a.written, "wal": b.wal - a.wal}
    return {name: value / seconds for name, value in spent.items()}


def _costs(kind: Backing, busy: dict[str, float], idle: dict[str, float], rate: float) -> dict[str, float]:
    of = {name: max(0.0, busy[name] - idle[name]) / rate for name in busy}
    if kind is Backing.EMBEDDED:
        return {
            "web_cpu_ms": 1e3 * of["cpu web"],
            "worker_cpu_ms": 1e3 * of["cpu worker"],
            "identity_cpu_ms": 1e3 * of["cpu identity"],  # a frame; `measure` makes it a comparison
            "redis_cpu_ms": 1e3 * of["cpu Redis"],
            "redis_commands": of["redis commands"],
            "redis_bytes": of["redis bytes"],
            "sqlite_bytes": of["written"],
        }
    return {
        "web_cpu_ms": 1e3 * of["cpu web"],
        "worker_cpu_ms": 1e3 * of["cpu worker"],
        "redis_cpu_ms": 1e3 * of["cpu Redis"],
        "redis_commands": of["redis commands"],
        "redis_bytes": of["redis bytes"],
        "postgres_cpu_ms": 1e3 * of["cpu PostgreSQL"],
        "postgres_bytes": of["wal"],
        "rabbitmq_cpu_ms": 1e3 * of["cpu RabbitMQ"],
    }


def _latency(clients: int, requests: list[Request], seconds: float) -> dict[str, float]:
    took = [1e3 * r.took for r in requests if r.status == 200]
    cuts = quantiles(took, n=100)
    return {
        f"run_{clients}_rate": len(requests) / seconds,
        f"run_{clients}_p50_ms": cuts[49],
        f"run_{clients}_p99_ms": cuts[98],
        f"run_{clients}_mean_ms": mean(took),
        f"run_{clients}_refused": sum(r.status in {429, 503} for r in requests) / len(requests),
    }


@contextmanager
def _watching(stack: Stack) -> Iterator[Counter[str]]:
    """Count commands and statements inside the block. Watching slows the servers, so nothing is timed meanwhile."""
    seen: Counter[str] = Counter()
    ending = threading.Event()
    log: Path | None = None
    if stack.postgres:
        _say_statements(stack.postgres.url, "all")
        log = stack.postgres.process.log
        skipped = log.stat().st_size
    client = make_redis(stack.redis.url)

    def watch() -> None:
        with client.monitor() as monitor:
            for command in monitor.listen():
                if ending.is_set():
                    return
                words = command["command"].split()
                seen["chips"] += len(words) > 1 and words[0].upper() == "SET" and words[1].startswith("chip:")

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        ending.set()
        thread.join(10)
        client.close()
        if stack.postgres and log:
            _say_statements(stack.postgres.url, "none")
            told = log.read_bytes()[skipped:].decode(errors="replace")
            seen.update(word.upper() for word in _STATEMENT.findall(told))


def _say_statements(url: str, what: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"ALTER SYSTEM SET log_statement = '{what}'")
        connection.execute("SELECT pg_reload_conf()")
    time.sleep(0.5)


def _counts(seen: Counter[str], frames: int) -> dict[str, float]:
    out = {"comparisons": seen["chips"] / frames}
    if seen["SELECT"]:
        control = {"BEGIN", "COMMIT", "ROLLBACK", "ALTER", "SET", "SHOW"}
        told = {word: n for word, n in seen.items() if word != "chips" and word not in control}
        out["postgres_statements"] = sum(told.values()) / frames
        out["postgres_writes"] = (seen["INSERT"] + seen["UPDATE"] + seen["DELETE"]) / frames
        out["postgres_commits"] = seen["COMMIT"] / frames
    return out
