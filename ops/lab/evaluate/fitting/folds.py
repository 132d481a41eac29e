"""Figures on people whom the fit never saw: the people are parted, and each part is judged by a fit over the others."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import combinations
from multiprocessing import get_context
from typing import Final

from ops.lab.evaluate.fitting.samples import Sample
from shared.liveness.evidence import Weighing

#: Makes a weighing from samples.
Make = Callable[[Sequence[Sample]], Weighing]
#: Parts that the people are divided into.
PARTS: Final = 10


def parts_of(people: Iterable[str], parts: int = PARTS, seed: int = 7) -> dict[str, int]:
    """The part that each person belongs to, the same in every run."""
    names = sorted(set(people))
    random.Random(seed).shuffle(names)  # noqa: S311 - repeatable, not secret
    return {name: i % parts for i, name in enumerate(names)}


def fits_without(
    samples: Sequence[Sample], part_of: Mapping[str, int], make: Make, *, pairs: bool = False, processes: int = 1
) -> dict[frozenset[int], Weighing]:
    """For each part of the people a fit over all sessions but theirs; with `pairs` one for each two parts as well."""
    parts = sorted(set(part_of.values()))
    without = [frozenset({part}) for part in parts]
    if pairs:
        without += map(frozenset, combinations(parts, 2))
    task = _Task(samples, part_of, make)
    if processes == 1:
        return {parts: task(parts) for parts in without}
    # Spawned, not forked: the threads of the matrices do not bear a fork.
    with ProcessPoolExecutor(processes, get_context("spawn"), initializer=_begin, initargs=(task,)) as pool:
        return dict(zip(without, pool.map(_do_here, without), strict=True))


@dataclass(frozen=True, slots=True)
class _Task:
    samples: Sequence[Sample]
    part_of: Mapping[str, int]
    make: Make

    def __call__(self, without: frozenset[int]) -> Weighing:
        return self.make([s for s in self.samples if self.part_of[s.person] not in without])


_here: dict[str, _Task] = {}


def _begin(task: _Task) -> None:
    _here["task"] = task


def _do_here(without: frozenset[int]) -> Weighing:
    return _here["task"](without)
