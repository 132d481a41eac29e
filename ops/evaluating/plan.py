"""What a run consists of, and doing it in one process or several."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

from ops.evaluating.attacks import SCREEN_REPLAY
from ops.evaluating.manifest import Manifest
from ops.evaluating.outcome import Outcome
from ops.evaluating.signals import Signals, recordings
from ops.evaluating.work import STILL_HEAD, Job, Setup, Worker

Done = Signals | list[Outcome]


def plan(manifest: Manifest, parts: set[str], engines: list[str], rates: list[float], species: list[str]) -> list[Job]:
    """All jobs of a run. Whole sessions are played at the first rate only, attacks on the first engine only.

    One person's jobs come one after the other, so that a process has their recordings and measurements at hand.
    """
    jobs = []
    if "gestures" in parts:
        jobs += [Job("signals", engines[0], recording=path) for path in recordings(manifest.people)]
        if manifest.still_head:
            jobs += [Job("gestures", engine, rate, STILL_HEAD) for engine in engines for rate in rates]
    for person in manifest.people:
        for engine in engines:
            if "gestures" in parts:
                jobs += [Job("gestures", engine, rate, person.name) for rate in rates]
            if "bona_fide" in parts:
                jobs.append(Job("bona_fide", engine, rates[0], person.name))
        if "attacks" in parts and person.genuine:
            jobs += [Job("attacks", engines[0], rates[0], person.name, s) for s in species if s != SCREEN_REPLAY]
    if "attacks" in parts and SCREEN_REPLAY in species:
        jobs += [Job("attacks", engines[0], rates[0], p.name, SCREEN_REPLAY) for p in manifest.screen_replays]
    return jobs


def do(jobs: Sequence[Job], setup: Setup, processes: int) -> Iterator[tuple[Job, Done]]:
    """Do the jobs; each one with what came of it, as it gets done."""
    if processes == 1:
        worker = Worker(setup)
        for job in jobs:
            yield job, _do(worker, job)
        return
    # Spawned, not forked: OpenCV's and the progress bar's threads do not bear a fork.
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
