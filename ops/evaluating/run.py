"""A run from its arguments to its report, with a progress bar and a summary at the terminal."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ops.evaluating.about import about
from ops.evaluating.attacks import SCREEN_REPLAY, SPECIES
from ops.evaluating.charts import words
from ops.evaluating.footprint import footprint
from ops.evaluating.manifest import Manifest, ManifestError
from ops.evaluating.outcome import Outcome
from ops.evaluating.plan import do, plan
from ops.evaluating.report import usual_verdicts, write_report
from ops.evaluating.results import Rate, Results, summarise
from ops.evaluating.signals import Signals
from ops.evaluating.steps import Steps
from ops.evaluating.work import Setup
from ops.lib.models import MODELS


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be evaluated."""

    parts: list[str]
    engines: list[str]
    rates: list[float]
    #: Species of attack; none: all.
    species: list[str]


def run(console: Console, manifest: Manifest, setup: Setup, wanted: Wanted, *, processes: int, report: Path) -> Path:
    """Do everything; returns the report's path."""
    _check(setup, wanted)
    began = time.monotonic()
    jobs = plan(manifest, set(wanted.parts), wanted.engines, wanted.rates, wanted.species or [*SPECIES, SCREEN_REPLAY])
    outcomes: list[Outcome] = []
    signals: list[Signals] = []
    footprints = []
    with Steps(console, len(jobs) + len(wanted.engines)) as steps:
        for engine in wanted.engines:
            footprints.append(footprint(manifest, setup.models, engine, wanted.rates[0]))
            steps.done(f"cost {engine}")
        for job, done in do(jobs, setup, processes):
            steps.done(str(job))
            if isinstance(done, Signals):
                signals.append(done)
            else:
                outcomes += done
    # Processes end their jobs in any order: a report must not depend on it.
    signals.sort(key=lambda s: s.path)
    outcomes.sort(key=lambda o: _place(o, setup, wanted))
    results = summarise(outcomes, signals, footprints)
    information = about(
        setup.manifest,
        manifest,
        rates=wanted.rates,
        engines=wanted.engines,
        parts=wanted.parts,
        timeout=setup.timeout,
        seed=setup.seed,
        rounds=setup.rounds,
        identity=setup.identity,
        filming=setup.filming,
        seconds=time.monotonic() - began,
    )
    written = write_report(report, information, results, signals, outcomes)
    _tell(console, results)
    return written


def _place(outcome: Outcome, setup: Setup, wanted: Wanted) -> tuple[object, ...]:
    """Where it stands in the report: engines, rates and presets as they were asked for."""
    return (
        outcome.kind,
        wanted.engines.index(outcome.engine),
        wanted.rates.index(outcome.fps),
        outcome.species,
        outcome.person,
        outcome.detail,
        setup.presets.index(outcome.preset),
    )


def _check(setup: Setup, wanted: Wanted) -> None:
    """Models and species that are not there are told before anything is begun."""
    # The mesh is needed in any case: the scissors for cut-outs go by its points.
    groups = dict.fromkeys(["mesh", *wanted.engines, *(["identity"] if setup.identity else [])])
    lacking = [p.name for group in groups for p in MODELS[group] if not (setup.models / p.name).is_file()]
    if lacking:
        raise ManifestError(
            f"{setup.models} has no {', '.join(lacking)}; ops/models {' '.join(groups)} brings what is needed."
        )
    unknown = set(wanted.species) - {*SPECIES, SCREEN_REPLAY}
    if unknown:
        raise ManifestError(
            f"There is no species {', '.join(unknown)}: there are {', '.join([*SPECIES, SCREEN_REPLAY])}."
        )


def _tell(console: Console, results: Results) -> None:
    """The figures in a few lines."""
    for rates in results.gestures:
        table = Table(title=f"{rates.engine}, {rates.fps:g} frames a second", title_justify="left")
        for column in ("gesture", "hits", "false accepts"):
            table.add_column(column)
        for gesture, hits in rates.hits.items():
            table.add_row(words(gesture), _rate(hits), _rate(rates.false_accepts.get(gesture)))
        console.print(table)
        apart = rates.unlabelled
        console.print(f"False accepts but for seconds labelled with the gesture: {_rate(apart)}", highlight=False)
        median = rates.median()
        if median is not None:
            console.print(f"Onset to pass: {median:.2f} s in the median", highlight=False)
    _tell_verdicts(console, results)


def _tell_verdicts(console: Console, results: Results) -> None:
    usual = usual_verdicts(results)
    if usual is None:
        return
    table = Table(title=f"Attacks accepted, {usual.engine}", title_justify="left")
    same = [v for v in results.verdicts if v.engine == usual.engine]
    table.add_column("species")
    for verdicts in same:
        table.add_column(verdicts.preset)
    for i, species in enumerate(usual.species):
        table.add_row(words(species.name), *(f"{v.species[i].accepted}/{v.species[i].n}" for v in same))
    table.add_row("people turned away", *(_rate(v.rejected) for v in same))
    console.print(table)


def _rate(rate: Rate | None) -> str:
    return "–" if rate is None or not rate.n else f"{rate.k}/{rate.n}  {100 * rate.share:.1f} %"
