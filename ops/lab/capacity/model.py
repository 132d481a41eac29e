"""Computes what a number of sessions needs from the costs of one frame, and simulates a frame's latency."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from ops.lab.bench.report import Table
from ops.lab.capacity.measured import Measured
from ops.lab.capacity.simulation import Outcome, Service, constant, like, of_sessions, simulate

#: Frames a second of a session.
FPS = 8.0
#: The numbers of concurrent sessions in docs/capacity.md.
SESSIONS = (10**3, 10**5, 10**6)
#: The share of time that cores should be busy; below it p99 stays low (see the table by load).
BUSY = 0.6
#: Frames under way for each worker process, as FRAMES_PER_WORKER has it.
LIMIT = 24
#: Assumed, not measured: bytes of write-ahead log that a disk takes a second; messages a second of one RabbitMQ queue.
WAL_RATE, QUEUE_RATE = 200e6, 20_000.0
#: Assumed: the cores of the largest database server.
DATABASE_CORES = 32
#: Loads of the workers, and sessions at which they are simulated.
LOADS = (0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2)
CELL = 500
_FRAMES = 40_000
_WARM = 5_000


@dataclass(frozen=True, slots=True)
class Need:
    """The resources that a number of sessions needs; rates are by the second."""

    sessions: int
    frames: float
    web_cores: int
    worker_cores: int
    identity_cores: int
    redis_commands: float
    redis_bits: float
    redis_busy: float
    statements: float
    writes: float
    commits: float
    wal: float
    postgres_cores: int
    messages: float
    rabbitmq_cores: int

    @classmethod
    def of(cls, sessions: int, measured: Measured) -> Need:
        """The need of sessions that send FPS frames a second each, with RabbitMQ, PostgreSQL and Redis."""
        frames, full, extra = sessions * FPS, measured.full, measured.embedded["comparisons"]
        cores = lambda ms: ceil(frames * ms / 1e3 / BUSY)  # noqa: E731
        return cls(
            sessions,
            frames,
            cores(full["web_cpu_ms"]),
            cores(full["worker_cpu_ms"]),
            cores(extra * measured.embedded["identity_cpu_ms"]),
            frames * full["redis_commands"],
            frames * full["redis_bytes"] * 8,
            frames * full["redis_cpu_ms"] / 1e3,
            frames * full["postgres_statements"],
            frames * full["postgres_writes"],
            frames * full["postgres_commits"],
            frames * full["postgres_bytes"],
            cores(full["postgres_cpu_ms"]),
            frames * (1 + extra),
            cores(full["rabbitmq_cpu_ms"]),
        )


def service(measured: Measured, workers: int, *, webs: int, writers: int) -> Service:
    """The simulated service. writers: PostgreSQL's cores; 0: SQLite, whose work is part of the worker's."""
    costs = measured.full if writers else measured.embedded
    return Service(
        webs=webs,
        workers=workers,
        writers=writers or workers,
        web=constant(costs["web_cpu_ms"] / 1e3),
        worker=like(measured.vision_ms, costs["worker_cpu_ms"] / 1e3),
        database=constant(costs["postgres_cpu_ms"] / 1e3 if writers else 0.0),
        limit=LIMIT * workers,
    )


def run(what: Service, sessions: int, *, seed: int = 0) -> Outcome:
    """Simulate 40,000 frames of a number of sessions."""
    return simulate(what, of_sessions(sessions, FPS, seed), _FRAMES, seed=seed, warm=_WARM)


def tables(measured: Measured) -> Iterator[Table]:
    """All tables of docs/capacity.md."""
    yield costs(measured)
    yield checked(measured)
    yield by_load(measured)
    yield needs(measured)
    yield bounds(measured)


def costs(measured: Measured) -> Table:
    """The table of measured costs."""
    names = {
        "web_cpu_ms": "web process, ms of CPU",
        "worker_cpu_ms": "worker, ms of CPU",
        "vision": "… of which vision, ms (mean)",
        "identity_cpu_ms": "worker_identity, ms of CPU a comparison",
        "comparisons": "comparisons",
        "redis_cpu_ms": "Redis, ms of CPU",
        "redis_commands": "Redis, commands",
        "redis_bytes": "Redis, bytes in and out",
        "sqlite_bytes": "SQLite, bytes written (WAL, pages)",
        "postgres_cpu_ms": "PostgreSQL, ms of CPU",
        "postgres_statements": "PostgreSQL, statements",
        "postgres_writes": "… of which INSERT, UPDATE, DELETE",
        "postgres_commits": "PostgreSQL, commits",
        "postgres_bytes": "PostgreSQL, bytes of WAL",
        "rabbitmq_cpu_ms": "RabbitMQ, ms of CPU",
    }
    vision = {"vision": sum(measured.vision_ms) / len(measured.vision_ms)}
    sides = ({**measured.embedded, **vision}, {**measured.full, **vision})
    rows = [[shown, *(side.get(name) for side in sides)] for name, shown in names.items()]
    return Table("A frame, measured", ["a frame", "SQLite, Redis", "PostgreSQL, RabbitMQ, Redis"], rows)


def checked(measured: Measured) -> Table:
    """The table that compares the simulation of the measured machine with the measurement."""
    rows = []
    for clients in sorted(int(name.split("_")[1]) for name in measured.embedded if name.endswith("_rate")):
        of = {what: measured.embedded[f"run_{clients}_{what}"] for what in ("rate", "p50_ms", "p99_ms", "refused")}
        outcome = run(service(measured, 2, webs=1, writers=0), clients)
        p50, p99 = 1e3 * outcome.quantile(0.5), 1e3 * outcome.quantile(0.99)
        rows.append([f"{clients} sessions: measured", of["rate"], of["p50_ms"], of["p99_ms"], of["refused"]])
        rows.append([f"{clients} sessions: simulated", clients * FPS, p50, p99, outcome.refused_share])
        rows.append(["… of what was measured", None, p50 / of["p50_ms"], p99 / of["p99_ms"], None])
    title = f"The model beside the machine, whose load before was {measured.about['load_before']} from other work"
    return Table(title, ["", "frames/s", "p50 ms", "p99 ms", "refused"], rows)


def load_curve(measured: Measured) -> Iterator[tuple[float, int, Outcome]]:
    """(busy share of the workers, number of workers, outcome) for CELL sessions with PostgreSQL."""
    need = CELL * FPS * (measured.full["worker_cpu_ms"] + measured.full["postgres_cpu_ms"]) / 1e3
    webs = ceil(CELL * FPS * measured.full["web_cpu_ms"] / 1e3 / BUSY)
    writers = ceil(CELL * FPS * measured.full["postgres_cpu_ms"] / 1e3 / BUSY)
    for load in LOADS:
        workers = max(1, round(need / load))
        yield load, workers, run(service(measured, workers, webs=webs, writers=writers), CELL)


def by_load(measured: Measured) -> Table:
    """The table of latency by the workers' load."""
    rows = [
        [f"{load:.0%}", workers, 1e3 * outcome.quantile(0.5), 1e3 * outcome.quantile(0.99), outcome.refused_share]
        for load, workers, outcome in load_curve(measured)
    ]
    title = f"{CELL} sessions ({CELL * FPS:.0f} frames a second), by the workers' load, simulated"
    return Table(title, ["load", "workers", "p50 ms", "p99 ms", "refused"], rows)


def needs(measured: Measured) -> Table:
    """The table of what SESSIONS need."""
    some = [Need.of(sessions, measured) for sessions in SESSIONS]
    rows: list[list[str | float]] = [
        ["frames a second", *(_large(n.frames) for n in some)],
        ["cores: web", *(_large(n.web_cores) for n in some)],
        ["cores: worker", *(_large(n.worker_cores) for n in some)],
        ["cores: worker_identity", *(_large(n.identity_cores) for n in some)],
        ["cores: PostgreSQL", *(_large(n.postgres_cores) for n in some)],
        ["cores: RabbitMQ", *(_large(n.rabbitmq_cores) for n in some)],
        ["Redis, commands a second", *(_large(n.redis_commands) for n in some)],
        ["Redis, Gbit a second", *(n.redis_bits / 1e9 for n in some)],
        ["Redis, threads kept busy", *(n.redis_busy for n in some)],
        ["PostgreSQL, statements a second", *(_large(n.statements) for n in some)],
        ["PostgreSQL, writing statements a second", *(_large(n.writes) for n in some)],
        ["PostgreSQL, commits a second", *(_large(n.commits) for n in some)],
        ["PostgreSQL, MB of WAL a second", *(n.wal / 1e6 for n in some)],
        ["broker, messages a second", *(_large(n.messages) for n in some)],
    ]
    title = f"So many sessions at once, {FPS:g} frames a second each, cores {BUSY:.0%} busy: a model"
    return Table(title, ["", *(_large(n.sessions) for n in some)], rows)


def bounds(measured: Measured) -> Table:
    """The table of the sessions that one of each part can serve, the smallest first, and what to change there."""
    full, one = measured.full, lambda rate: rate / FPS
    parts = [
        ("Redis: its one thread", BUSY * 1e3 / full["redis_cpu_ms"], "several, a session's keys all in one of them"),
        ("network of one Redis, 10 Gbit/s", BUSY * 10e9 / 8 / full["redis_bytes"], "the same; or smaller pictures"),
        ("one queue of RabbitMQ (assumed)", QUEUE_RATE / (1 + measured.embedded["comparisons"]), "several queues"),
        (
            "PostgreSQL: its disk's log (assumed)",
            WAL_RATE / full["postgres_bytes"],
            "fewer rows: a frame's measures in Redis",
        ),
        (
            f"PostgreSQL: {DATABASE_CORES} cores",
            DATABASE_CORES * BUSY * 1e3 / full["postgres_cpu_ms"],
            "fewer statements; then sessions split over several databases",
        ),
    ]
    rows = [[name, _large(one(rate)), what] for name, rate, what in sorted(parts, key=lambda part: part[1])]
    return Table("Where it ends first: a model", ["one of", "sessions", "what to change"], rows)


def _large(number: float) -> str:
    return f"{round(number):,}".replace(",", " ")
