"""Simulates frames on their way through the service, event by event: web threads, a queue, workers, a database.

A frame passes the web process (its CPU, one frame at a time for each process), waits for a worker, and holds it while it is
measured and while the database writes what came of it; the database may keep it waiting in turn. It is refused where as
many are under way as `limit` says, as the service does it. Times are seconds.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count

#: Draws a time for a frame.
Draw = Callable[[random.Random], float]


@dataclass(frozen=True, slots=True)
class Service:
    """The numbers of web threads, workers and writers, and the time that each takes for a frame."""

    webs: int
    workers: int
    #: The number of units of work that the database does at once.
    writers: int
    web: Draw
    worker: Draw
    database: Draw
    #: The most frames under way behind the web; more are refused. None: no limit.
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a simulation."""

    #: The latency of each answered frame, in the order of answers.
    latencies: Sequence[float]
    refused: int

    @property
    def mean(self) -> float:
        """The mean latency."""
        return sum(self.latencies) / len(self.latencies)

    @property
    def refused_share(self) -> float:
        """The share of frames that were refused."""
        return self.refused / (self.refused + len(self.latencies))

    def quantile(self, share: float) -> float:
        """The latency below which this share of the answered frames stays."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def simulate(service: Service, arrivals: Iterator[float], frames: int, *, seed: int = 0, warm: int = 0) -> Outcome:
    """Simulate a number of frames; the first `warm` are not counted. Equal arguments give equal outcomes."""
    return _Run(service, random.Random(seed), warm).through(arrivals, frames)  # noqa: S311 - no secret


def of_sessions(sessions: int, fps: float, seed: int = 0) -> Iterator[float]:
    """Arrival times: each session's frames come evenly, at a phase of its own, with a jitter of a tenth."""
    chance = random.Random(f"arrivals {seed}")  # noqa: S311
    phases = sorted(chance.random() / fps for _ in range(sessions))
    due = [(phase, n, phase) for n, phase in enumerate(phases)]
    heapq.heapify(due)
    while True:
        at, n, even = heapq.heappop(due)
        yield at
        even += 1 / fps
        heapq.heappush(due, (even + chance.uniform(0.0, 0.1) / fps, n, even))


def poisson(rate: float, seed: int = 0) -> Iterator[float]:
    """Arrival times of independent frames, at a mean rate a second."""
    chance, at = random.Random(f"poisson {seed}"), 0.0  # noqa: S311
    while True:
        at += chance.expovariate(rate)
        yield at


def exponential(mean: float) -> Draw:
    """An exponentially distributed time."""
    return lambda chance: chance.expovariate(1 / mean)


def constant(seconds: float) -> Draw:
    """A constant time."""
    return lambda _: seconds


def like(quantiles: Sequence[float], mean: float) -> Draw:
    """A time drawn from equally likely ones, scaled to this mean."""
    scale = mean * len(quantiles) / sum(quantiles)
    return lambda chance: scale * chance.choice(quantiles)


class _Station:
    """A number of servers with one queue. drawn: a server's time for a frame; then: called with the finished frame."""

    def __init__(self, run: _Run, servers: int, drawn: Draw, then: Callable[[float], None], *, held: bool) -> None:
        """held: whether a server stays with its frame until `leave`; else it is free once its time has passed."""
        self._run, self.free, self._drawn, self._then, self._held = run, servers, drawn, then, held
        self._waiting: deque[float] = deque()

    def enter(self, frame: float) -> None:
        if self.free:
            self.free -= 1
            self._begin(frame)
        else:
            self._waiting.append(frame)

    def leave(self) -> None:
        if self._waiting:
            self._begin(self._waiting.popleft())
        else:
            self.free += 1

    def _begin(self, frame: float) -> None:
        self._run.after(self._drawn(self._run.chance), lambda: self._done(frame))

    def _done(self, frame: float) -> None:
        if not self._held:
            self.leave()
        self._then(frame)


class _Run:
    """Runs a simulation; a frame is identified by its time of arrival."""

    def __init__(self, service: Service, chance: random.Random, warm: int) -> None:
        self.chance, self._now, self._warm = chance, 0.0, warm
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._limit, self._underway, self._ended = service.limit, 0, 0
        self._latencies: list[float] = []
        self._refused = 0
        self._web = _Station(self, service.webs, service.web, self._to_worker, held=False)
        self._worker = _Station(self, service.workers, service.worker, self._to_database, held=True)
        self._database = _Station(self, service.writers, service.database, self._answered, held=False)

    def through(self, arrivals: Iterator[float], frames: int) -> Outcome:
        for _ in range(frames):
            at = next(arrivals)
            while self._events and self._events[0][0] <= at:
                self._step()
            self._now = at
            self._web.enter(at)
        while self._events:
            self._step()
        return Outcome(self._latencies, self._refused)

    def after(self, seconds: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self._now + seconds, next(self._order), what))

    def _step(self) -> None:
        self._now, _, what = heapq.heappop(self._events)
        what()

    def _to_worker(self, frame: float) -> None:
        if self._limit is not None and self._underway >= self._limit:
            self._ended += 1
            self._refused += self._ended > self._warm
            return
        self._underway += 1
        self._worker.enter(frame)

    def _to_database(self, frame: float) -> None:
        self._database.enter(frame)

    def _answered(self, frame: float) -> None:
        self._worker.leave()
        self._underway -= 1
        self._ended += 1
        if self._ended > self._warm:
            self._latencies.append(self._now - frame)
