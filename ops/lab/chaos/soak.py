"""Ordinary load for a while, to see whether memory, connections or keys grow."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, quantiles

from redis import Redis

from ops.lab.chaos import checks
from ops.lab.chaos.checks import ONLY_ANSWERS, Holding
from ops.lab.rig.load import Frames, Load, Request
from ops.lab.rig.stack import Backing, Stack
from shared.redis.client import make_redis

#: Seconds between two looks.
_EVERY = 5.0
#: What a program's memory may grow by from the second third to the last: a share of it, and megabytes.
_SHARE, _MEGABYTES = 0.03, 6.0
#: Likewise keys in Redis, and connections.
_KEYS, _CONNECTIONS = 1.25, 6


@dataclass(frozen=True, slots=True)
class Look:
    """The state of the service at one moment."""

    #: Seconds since the soak's beginning.
    at: float
    holding: Holding
    #: Keys in Redis, by their kind.
    keys: Counter[str]
    #: Megabytes that Redis uses.
    redis: float


@dataclass(frozen=True, slots=True)
class Soak:
    """The outcome of a soak."""

    looks: list[Look]
    requests: list[Request]
    wrong: list[str]
    seconds: float


def soak(kind: Backing, frames: Frames, *, minutes: float, clients: int, fps: float) -> Soak:
    """Put a stack under load for so many minutes, and look at it every few seconds."""
    with Stack(kind, workers=2) as stack, make_redis(stack.redis.url) as client:
        load = Load(stack.front, frames, clients=clients, fps=fps)
        began = time.monotonic()
        load.start()
        looks = []
        while (gone := time.monotonic() - began) < minutes * 60:
            looks.append(_look(stack, client, gone))
            time.sleep(_EVERY)
        load.finish()
        seconds = time.monotonic() - began
        wrong = [*checks.answered(load.notes.requests, stack.deadline, ONLY_ANSWERS), *_grown(looks)]
        wrong += checks.sessions_kept(stack, load.notes)
        wrong += checks.events_kept(stack.engine, load.notes)
        wrong += checks.keys_left(client)
        looks.append(_look(stack, client, time.monotonic() - began))
    return Soak(looks, load.notes.requests, wrong, seconds)


def table(result: Soak) -> list[list[str]]:
    """A table, its head first: the state in each tenth of the time."""
    rows = [["minutes", "frames a second", "p50 ms", "p99 ms", "memory MB", "connections", "keys", "Redis MB"]]
    began = min((r.at for r in result.requests), default=0.0)
    last = result.looks[-2].at if len(result.looks) > 1 else 0.0
    for n in range(10):
        low, high = last * n / 10, last * (n + 1) / 10
        some = [look for look in result.looks if low <= look.at < high]
        took = [r.took for r in result.requests if r.what == "frame" and r.status == 200 and low <= r.at - began < high]
        if not some or len(took) < 2:
            continue
        cuts = quantiles(took, n=100)
        names, servers = some[0].holding.memory, some[0].holding.connections
        memory = {name: mean(k.holding.memory.get(name, 0.0) for k in some) for name in names}
        held = {name: mean(k.holding.connections[name] for k in some) for name in servers}
        rows.append(
            [
                f"{low / 60:.1f}–{high / 60:.1f}",
                f"{len(took) / (high - low):.1f}",
                f"{cuts[49] * 1000:.0f}",
                f"{cuts[98] * 1000:.0f}",
                ", ".join(f"{name} {size:.0f}" for name, size in memory.items()),
                ", ".join(f"{name} {count:.0f}" for name, count in held.items()),
                f"{mean(k.keys.total() for k in some):.0f}",
                f"{mean(k.redis for k in some):.1f}",
            ]
        )
    return rows


def plot(result: Soak, path: Path) -> None:
    """Plot memory, connections and keys over time."""
    import matplotlib as mpl

    mpl.use("svg")
    import matplotlib.pyplot as plt

    minutes = [look.at / 60 for look in result.looks]
    figure, axes = plt.subplots(3, 1, figsize=(8, 7), sharex=True)
    for name in result.looks[0].holding.memory:
        axes[0].plot(minutes, [look.holding.memory.get(name, 0.0) for look in result.looks], label=name)
    axes[0].set_ylabel("memory, MB")
    for name in result.looks[0].holding.connections:
        axes[1].plot(minutes, [look.holding.connections[name] for look in result.looks], label=name)
    axes[1].set_ylabel("connections")
    axes[2].plot(minutes, [look.keys.total() for look in result.looks], label="keys in Redis")
    axes[2].plot(minutes, [look.redis for look in result.looks], label="Redis, MB")
    axes[2].set_xlabel("minutes")
    for axis in axes:
        axis.set_ylim(bottom=0)
        axis.legend(fontsize="small", ncols=4)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def _look(stack: Stack, client: Redis, at: float) -> Look:
    keys = Counter(key.decode().partition(":")[0] for key in client.scan_iter(count=1000))
    return Look(at, Holding.of(stack), keys, client.info("memory")["used_memory"] / 1e6)


def _grown(looks: Sequence[Look]) -> Iterator[str]:
    third = len(looks) // 3
    if third < 4:
        yield "too short to tell whether anything grows"
        return
    before, after = looks[third : 2 * third], looks[2 * third :]
    for name in before[0].holding.memory:
        old, new = (mean(look.holding.memory.get(name, 0.0) for look in some) for some in (before, after))
        if new > old * (1 + _SHARE) + _MEGABYTES:
            yield f"the memory of {name} grows: {old:.0f}, then {new:.0f} MB"
    for name in before[0].holding.connections:
        old, new = (mean(look.holding.connections[name] for look in some) for some in (before, after))
        if new > old + _CONNECTIONS:
            yield f"connections to {name} grow: {old:.0f}, then {new:.0f}"
    old, new = (mean(look.keys.total() for look in some) for some in (before, after))
    if new > old * _KEYS + 10:
        yield f"keys in Redis grow: {old:.0f}, then {new:.0f}"
