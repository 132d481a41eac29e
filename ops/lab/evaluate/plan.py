"""Plans the jobs of a run, and does them in one process or several."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import product

from ops.lab.evaluate.attacks import EVERY_SPECIES, RECORDED
from ops.lab.evaluate.job import STILL_HEAD, Job, Setup
from ops.lab.evaluate.manifest import Manifest
from ops.lab.evaluate.outcome import Outcome
from ops.lab.evaluate.signals import Signals, recordings
from ops.lab.evaluate.work import Worker

Done = Signals | list[Outcome]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The choice of what is evaluated."""

    parts: list[str]
    engines: list[str]
    #: Frames a second of the gestures, and of whole sessions and attacks.
    rates: list[float]
    session_rates: list[float]
    #: Species of attack; empty: all.
    species: list[str]


def plan(manifest: Manifest, wanted: Wanted) -> list[Job]:
    """All jobs of a run. Attacks are played on the first engine only.

    One person's jobs come one after the other, so that a process has their recordings and measurements at hand.
    """
    jobs = []
    engines, rates = wanted.engines, wanted.rates
    if "gestures" in wanted.parts:
        jobs += [Job("signals", engines[0], recording=path) for path in recordings(manifest.people)]
        if manifest.still_head:
            jobs += [Job("gestures", engine, rate, STILL_HEAD) for engine in engines for rate in rates]
    for person in manifest.people:
        for engine in engines:
            if "gestures" in wanted.parts:
                jobs += [Job("gestures", engine, rate, person.name) for rate in rates]
            if "bona_fide" in wanted.parts:
                jobs += [Job("bona_fide", engine, rate, person.name) for rate in wanted.session_rates]
        if "attacks" in wanted.parts and person.genuine:
            jobs += _attacks(wanted, [person.name], [s for s in _species(wanted) if s not in RECORDED])
    if "attacks" in wanted.parts:
        for species in (s for s in _species(wanted) if s in RECORDED):
            jobs += _attacks(wanted, [p.name for p in manifest.attacks(species)], [species])
    return jobs


def _species(wanted: Wanted) -> Sequence[str]:
    return wanted.species or EVERY_SPECIES


def _attacks(wanted: Wanted, names: Sequence[str], species: Sequence[str]) -> Iterator[Job]:
    for name, kind, rate in product(names, species, wanted.session_rates):
        yield Job("attacks", wanted.engines[0], rate, name, kind)


def do(jobs: Sequence[Job], setup: Setup, processes: int) -> Iterator[tuple[Job, Done]]:
    """Do the jobs; yields each with its outcome, in the order of completion."""
    if processes == 1:
        worker = Worker(setup)
        for job in jobs:
            yield job, _do(worker, job)
        return
    # Spawned, not forked: OpenCV and the progress bar have threads.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, initializer=_begin, initargs=(setup,)) as pool:
        futures = {pool.submit(_do_here, job): job for job in jobs}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:
            pool.shutdown(cancel_futures=True)


_here: dict[str, Worker] = {}


def _begin(setup: Setup) -> None:
    _here["worker"] = Worker(setup)


def _do_here(job: Job) -> Done:
    return _do(_here["worker"], job)


def _do(worker: Worker, job: Job) -> Done:
    return worker.watch(job) if job.part == "signals" else worker.play(job)
